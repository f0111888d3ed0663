package base64

// What the vector code does by itself.
var (
	DecodeBlocks = decodeBlocks
	EncodeBlocks = encodeBlocks
)

// EachWay runs test with every implementation that this machine has.
func EachWay(test func(name string)) {
	test("as here")
	defer func(before bool) { useAVX2 = before }(useAVX2)
	useAVX2 = false
	test("standard library")
}
