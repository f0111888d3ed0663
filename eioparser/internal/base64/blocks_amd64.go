//go:build !purego

package base64

// The vector code of blocks_amd64.s does what Wojciech Muła and Daniel Lemire
// describe in "Faster Base64 Encoding and Decoding Using AVX2 Instructions"
// (ACM Transactions on the Web 12 (3), 2018).

// useAVX2 is changed by tests only.
var useAVX2 = detectAVX2()

// decodeBlocks decodes letters from the beginning of src, 32 at a time, as long
// as there are only letters and dst has room. It returns how many it decoded.
func decodeBlocks(dst, src []byte) int {
	if !useAVX2 {
		return 0
	}
	return decodeAVX2(dst, src)
}

// encodeBlocks encodes bytes from the beginning of src, 24 at a time, and
// returns how many. dst has room for the encoding of src.
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
