package sioparser

import (
	"bytes"
	"strconv"
)

// outgoing returns the attachments of a packet with these arguments, one for
// each placeholder in order of appearance, and whether the placeholders must
// be renumbered for that. An attachment that is used twice is sent twice, one
// that is not used stays behind.
func (a *Args) outgoing() (attachments [][]byte, splice bool, err error) {
	if err := a.checkAlike(); err != nil {
		return nil, false, err
	}
	inOrder := true
	for i, m := range a.marks {
		inOrder = inOrder && int(m.num) == i
		splice = splice || !canonicalPlaceholder(a.raw[m.start-a.base:m.end-a.base], i)
	}
	if inOrder {
		n := len(a.marks)
		return a.attachments[:n:n], splice, nil
	}
	attachments = make([][]byte, len(a.marks))
	for i, m := range a.marks {
		attachments[i] = a.attachments[m.num]
	}
	return attachments, splice, nil
}

// checkAlike refuses arguments in which an object that is data would be taken
// for a placeholder by the receiver, who would close the connection or put an
// attachment in its place. The scanner says where there may be one; of text
// that was marshaled nobody knows.
func (a *Args) checkAlike() error {
	if !a.suspect || (bytes.Count(a.raw, []byte(placeholderKey)) == len(a.marks) && !hasEscape(a.raw)) {
		return nil
	}
	var s scanner
	if err := s.elements(a.raw); err != nil {
		return err
	}
	for i, m := range s.marks {
		if i == len(a.marks) || m.start != a.marks[i].start-a.base {
			return fail(ErrPlaceholder, int(m.start))
		}
	}
	return nil
}

// appendSpliced appends the text with placeholders numbered in order of
// appearance.
func (a *Args) appendSpliced(dst []byte) []byte {
	from := int32(0)
	for i, m := range a.marks {
		dst = append(dst, a.raw[from:m.start-a.base]...)
		dst = appendPlaceholder(dst, i)
		from = m.end - a.base
	}
	return append(dst, a.raw[from:]...)
}

const (
	placeholderHead = `{"_placeholder":true,"num":`
	placeholderTail = `}`
)

func appendPlaceholder(dst []byte, num int) []byte {
	dst = append(dst, placeholderHead...)
	dst = strconv.AppendInt(dst, int64(num), 10)
	return append(dst, placeholderTail...)
}

// canonicalPlaceholder reports whether text is what appendPlaceholder makes.
func canonicalPlaceholder(text []byte, num int) bool {
	var buf [len(placeholderHead) + 20]byte
	return string(text) == string(appendPlaceholder(buf[:0], num))
}
