package postgres

import "github.com/siokit/siokit/adapters/cluster"

// Codec is that of the channel of the main namespace.
var Codec cluster.Codec = codec{namespace: "/", threshold: defaultThreshold}

// CreateDefaultTable is what CreateTable runs.
func CreateDefaultTable() string { return createTable(defaultTable) }

// ReadHeader reads a notification about a row of the table.
func ReadHeader(text []byte) (id string, ok bool) {
	h, ok := readHeader(text)
	return h.AttachmentID.String(), ok
}
