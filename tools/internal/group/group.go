// Package group runs commands that start others, so that all of them end when the
// first is told to.
package group

import (
	"context"
	"os/exec"
	"syscall"
	"time"
)

// interruptWait is how long a command that was told to stop may take to end what
// it started, before it is killed.
const interruptWait = 10 * time.Second

// Command is exec.CommandContext for a process group of its own: the end of ctx
// interrupts all of it, and kills the command if it does not heed that.
func Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGINT) }
	cmd.WaitDelay = interruptWait
	return cmd
}

// Clear kills whoever is left of the group of a command that was started and
// waited for.
func Clear(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // that nobody is left is no error
}
