package clients_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// pageTime bounds the waiting for anything on a page.
const pageTime = time.Minute

// screenshots is where pictures of the page are left for people to look at.
const screenshots = "../../build/chat"

// browser starts Chromium with a fresh profile and returns its context.
func browser(t *testing.T) context.Context {
	t.Helper()
	chromium := tool(t, "chromium", "apt-get install chromium")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.DisableGPU,
		chromedp.NoSandbox, // tests may run as root, where there is no sandbox
		chromedp.Flag("disable-component-update", true),
	)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	t.Cleanup(func() {
		end, cancel := context.WithTimeout(ctx, stopTime)
		defer cancel()
		if err := chromedp.Cancel(end); err != nil {
			t.Errorf("chromium does not end: %v", err)
		}
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return ctx
}

// tab is one page of a browser.
type tab struct {
	t    *testing.T
	name string
	ctx  context.Context
}

// open opens url in a tab of its own, of the given size.
func open(t *testing.T, browser context.Context, name, url string, width, height int64) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the context of this call
		t.Fatalf("chromium opens no tab: %v", err)
	}
	b := &tab{t, name, ctx}
	b.do("open "+url,
		chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			// The test looks into pictures, which the page's own policy forbids to scripts.
			_, err := chromedp.Call(ctx, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
			return err
		}),
		chromedp.EmulateViewport(width, height, chromedp.EmulateScale(1.5)),
		chromedp.Navigate(url))
	return b
}

// do runs actions on the page; one that fails ends the test.
func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTime)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.shot("failed-" + b.name)
		b.t.Fatalf("%s: %s: %v", b.name, what, err)
	}
}

// wait waits until a JavaScript expression is true.
func (b *tab) wait(what, expression string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTime)
	defer cancel()
	poll := chromedp.Poll[bool]("!!("+expression+")", chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(0))
	if _, err := chromedp.Run(ctx, poll); err != nil {
		b.shot("failed-" + b.name)
		b.t.Fatalf("%s: no %s within %v (%v): %s", b.name, what, pageTime, err, expression)
	}
}

// eval returns the value of a JavaScript expression, awaited if it is a promise.
func (b *tab) eval(expression string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTime)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %s: %v", b.name, expression, err)
	}
	return value
}

// dark prefers a dark page, or not.
func (b *tab) dark(on bool) {
	b.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	b.do("prefer "+scheme, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	}))
}

// shot writes a picture of the page into the folder screenshots.
func (b *tab) shot(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, pageTime)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Errorf("%s: screenshot %s: %v", b.name, name, err)
		return
	}
	if err := os.MkdirAll(screenshots, 0o755); err != nil {
		b.t.Error(err)
		return
	}
	path := filepath.Join(screenshots, name+".png")
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		b.t.Error(err)
	}
}

// quote makes a JavaScript string literal.
func quote(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("a string that is no JSON: %v", err))
	}
	return string(literal)
}

// texts is an expression for the texts of all elements that a selector finds.
func texts(selector string) string {
	return "[...document.querySelectorAll(" + quote(selector) + ")].map(e => e.textContent.trim())"
}

// all joins expressions of which every one must be true.
func all(expressions ...string) string { return strings.Join(expressions, " && ") }
