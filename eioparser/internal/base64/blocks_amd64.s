//go:build !purego

#include "textflag.h"

// What bytes are looked up in, one table for each half of a register.

// A byte is a letter of the alphabet if what its two nibbles give here has no
// bit in common.
DATA lowNibbles<>+0(SB)/8, $0x1111111111111115
DATA lowNibbles<>+8(SB)/8, $0x1a1b1b1b1a131111
GLOBL lowNibbles<>(SB), RODATA|NOPTR, $16

DATA highNibbles<>+0(SB)/8, $0x0804080402011010
DATA highNibbles<>+8(SB)/8, $0x1010101010101010
GLOBL highNibbles<>(SB), RODATA|NOPTR, $16

// What to add to a letter to get its value, by its high nibble: 19 to '+', 4 to
// digits, -65 to A-Z, -71 to a-z. '/' shares its nibble with '+' and takes the
// place before, 16.
DATA toValue<>+0(SB)/8, $0xb9b9bfbf04131000
DATA toValue<>+8(SB)/8, $0x0000000000000000
GLOBL toValue<>(SB), RODATA|NOPTR, $16

// Three bytes of each four, in the order of the text.
DATA packBytes<>+0(SB)/8, $0x090a040506000102
DATA packBytes<>+8(SB)/8, $0xffffffff0c0d0e08
GLOBL packBytes<>(SB), RODATA|NOPTR, $16

// The twelve bytes of each half, next to each other.
DATA packHalves<>+0(SB)/8, $0x0000000100000000
DATA packHalves<>+8(SB)/8, $0x0000000400000002
DATA packHalves<>+16(SB)/8, $0x0000000600000005
DATA packHalves<>+24(SB)/8, $0x0000000700000007
GLOBL packHalves<>(SB), RODATA|NOPTR, $32

// Each three bytes spread to four: 1 0 2 1.
DATA spreadBytes<>+0(SB)/8, $0x0405030401020001
DATA spreadBytes<>+8(SB)/8, $0x0a0b090a07080607
GLOBL spreadBytes<>(SB), RODATA|NOPTR, $16

// What to add to a value to get its letter: A-Z, a-z, ten digits, '+', '/'.
DATA toLetter<>+0(SB)/8, $0xfcfcfcfcfcfc4741
DATA toLetter<>+8(SB)/8, $0x0000f0edfcfcfcfc
GLOBL toLetter<>(SB), RODATA|NOPTR, $16

DATA words<>+0(SB)/4, $0x2f2f2f2f  // '/', and a mask of nibbles whose foreign bit no look-up regards
DATA words<>+4(SB)/4, $0x01400140  // joins values to 12 bits
DATA words<>+8(SB)/4, $0x00011000  // and these to 24
DATA words<>+12(SB)/4, $0x0fc0fc00 // the first and third value of each three bytes
DATA words<>+16(SB)/4, $0x04000040 // to the right
DATA words<>+20(SB)/4, $0x003f03f0 // the second and fourth
DATA words<>+24(SB)/4, $0x01000010 // to the left
DATA words<>+28(SB)/4, $0x33333333 // 51
DATA words<>+32(SB)/4, $0x19191919 // 25
GLOBL words<>(SB), RODATA|NOPTR, $36

// func decodeAVX2(dst, src []byte) int
TEXT ·decodeAVX2(SB), NOSPLIT, $0-56
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), DX
	MOVQ src_base+24(FP), SI
	MOVQ src_len+32(FP), CX
	XORQ AX, AX

	VBROADCASTI128 lowNibbles<>(SB), Y8
	VBROADCASTI128 highNibbles<>(SB), Y9
	VBROADCASTI128 toValue<>(SB), Y10
	VBROADCASTI128 packBytes<>(SB), Y11
	VMOVDQU        packHalves<>(SB), Y12
	VPBROADCASTD   words<>+0(SB), Y13
	VPBROADCASTD   words<>+4(SB), Y14
	VPBROADCASTD   words<>+8(SB), Y15

decode:
	// 32 letters become 24 bytes, of which 32 are stored.
	CMPQ CX, $32
	JLT  decoded
	CMPQ DX, $32
	JLT  decoded

	VMOVDQU  (SI), Y0
	VPSRLD   $4, Y0, Y1
	VPAND    Y13, Y1, Y1   // high nibbles
	VPAND    Y13, Y0, Y2   // low nibbles
	VPSHUFB  Y1, Y9, Y3
	VPSHUFB  Y2, Y8, Y4
	VPTEST   Y3, Y4
	JNZ      decoded       // something else than letters
	VPCMPEQB Y13, Y0, Y5
	VPADDB   Y1, Y5, Y5
	VPSHUFB  Y5, Y10, Y5
	VPADDB   Y5, Y0, Y0    // values

	VPMADDUBSW Y14, Y0, Y0
	VPMADDWD   Y15, Y0, Y0
	VPSHUFB    Y11, Y0, Y0
	VPERMD     Y0, Y12, Y0
	VMOVDQU    Y0, (DI)

	ADDQ $32, SI
	ADDQ $24, DI
	ADDQ $32, AX
	SUBQ $32, CX
	SUBQ $24, DX
	JMP  decode

decoded:
	VZEROUPPER
	MOVQ AX, ret+48(FP)
	RET

// func encodeAVX2(dst, src []byte) int
TEXT ·encodeAVX2(SB), NOSPLIT, $0-56
	MOVQ dst_base+0(FP), DI
	MOVQ src_base+24(FP), SI
	MOVQ src_len+32(FP), CX
	XORQ AX, AX

	VBROADCASTI128 spreadBytes<>(SB), Y8
	VBROADCASTI128 toLetter<>(SB), Y9
	VPBROADCASTD   words<>+12(SB), Y10
	VPBROADCASTD   words<>+16(SB), Y11
	VPBROADCASTD   words<>+20(SB), Y12
	VPBROADCASTD   words<>+24(SB), Y13
	VPBROADCASTD   words<>+28(SB), Y14
	VPBROADCASTD   words<>+32(SB), Y15

encode:
	// 24 bytes, twelve in each half, become 32 letters. 28 are read.
	CMPQ CX, $28
	JLT  encoded

	VMOVDQU     (SI), X0
	VINSERTI128 $1, 12(SI), Y0, Y0
	VPSHUFB     Y8, Y0, Y0
	VPAND       Y10, Y0, Y1
	VPMULHUW    Y11, Y1, Y1
	VPAND       Y12, Y0, Y2
	VPMULLW     Y13, Y2, Y2
	VPOR        Y1, Y2, Y0   // values

	VPSUBUSB Y14, Y0, Y1
	VPCMPGTB Y15, Y0, Y2
	VPSUBB   Y2, Y1, Y1      // 0 for A-Z, 1 for a-z, 2 and up for the others
	VPSHUFB  Y1, Y9, Y1
	VPADDB   Y1, Y0, Y0
	VMOVDQU  Y0, (DI)

	ADDQ $24, SI
	ADDQ $32, DI
	ADDQ $24, AX
	SUBQ $24, CX
	JMP  encode

encoded:
	VZEROUPPER
	MOVQ AX, ret+48(FP)
	RET

// func detectAVX2() bool
TEXT ·detectAVX2(SB), NOSPLIT, $0-1
	MOVB  $0, ret+0(FP)
	XORL  AX, AX
	CPUID
	CMPL  AX, $7
	JLT   detected
	MOVL  $1, AX
	XORL  CX, CX
	CPUID
	ANDL  $0x18000000, CX // OSXSAVE and AVX
	CMPL  CX, $0x18000000
	JNE   detected
	XORL  CX, CX
	XGETBV
	ANDL  $6, AX          // the system saves the registers
	CMPL  AX, $6
	JNE   detected
	MOVL  $7, AX
	XORL  CX, CX
	CPUID
	SHRL  $5, BX
	ANDL  $1, BX
	MOVB  BX, ret+0(FP)

detected:
	RET
