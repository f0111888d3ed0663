package results

import (
	"bufio"
	"bytes"
	"io"
)

// eachLine calls f for every line of r, however long, without its end.
func eachLine(r io.Reader, f func(line []byte)) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			f(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
