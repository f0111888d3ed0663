package siotypes

// The two halves of Load.
var (
	LoadPackages = load
	Read         = read
)
