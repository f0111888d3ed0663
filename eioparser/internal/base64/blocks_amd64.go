//go:build !purego

package base64

// useAVX2 is changed by tests only.
var useAVX2 = detectAVX2()

// decodeBlocks decodes letters from the beginning of src, 32 at a time, as long
// as there are only letters and dst has room: for the eight bytes more that each
// block writes, too, which hold nothing of meaning. It returns how many letters it
// decoded.
func decodeBlocks(dst, src []byte) int {
	if !useAVX2 {
		return 0
	}
	return decodeAVX2(dst, src)
}

// encodeBlocks encodes bytes from the beginning of src, 24 at a time, as long as
// there are 28 of them and dst has room. It returns how many bytes it encoded.
func encodeBlocks(dst, src []byte) int {
	if !useAVX2 {
		return 0
	}
	return encodeAVX2(dst, src)
}

//go:noescape
func decodeAVX2(dst, src []byte) int

//go:noescape
func encodeAVX2(dst, src []byte) int

// detectAVX2 asks the processor, and whether the system keeps its registers.
func detectAVX2() bool
