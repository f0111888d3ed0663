module github.com/siokit/siokit/eioparser

go 1.26.0
