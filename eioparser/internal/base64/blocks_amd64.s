//go:build !purego

// Base64 in blocks of 32 letters and 24 bytes, by the algorithms of Wojciech Muła
// and Daniel Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions"
// (ACM Transactions on the Web 12 (3), 2018; arXiv:1704.00605), sections 3 and 4,
// and Muła's "Base64 decoding with SIMD instructions" (0x80.pl) for the check of
// the letters by two look-ups.
//
// A look-up (VPSHUFB) takes for each byte of a register the byte of a table of 16
// at the index in its low four bits, or 0 if its top bit is set. It works in each
// half of a register by itself, so tables stand in both halves.

#include "textflag.h"

// ---- Tables ---------------------------------------------------------------

// A byte is a letter if what the two tables give for its low and its high nibble
// have no bit in common. A bit stands for a group of bytes that are no letters:
// 0x01 for 2x but '+' and '/', 0x02 for 3x above '9', 0x04 for '@' and '`', 0x08 for
// what follows 'Z' and 'z', 0x10 for control characters and all that is not ASCII.
DATA lowNibbles<>+0(SB)/8, $0x1111111111111115
DATA lowNibbles<>+8(SB)/8, $0x1a1b1b1b1a131111
GLOBL lowNibbles<>(SB), RODATA|NOPTR, $16

DATA highNibbles<>+0(SB)/8, $0x0804080402011010
DATA highNibbles<>+8(SB)/8, $0x1010101010101010
GLOBL highNibbles<>(SB), RODATA|NOPTR, $16

// What to add to a letter to get its value, by its high nibble: 19 for '+', 4 for
// digits, -65 for A-Z, -71 for a-z. '/' would be beside '+'; it takes the place
// before, 16.
DATA toValue<>+0(SB)/8, $0xb9b9bfbf04131000
DATA toValue<>+8(SB)/8, $0x0000000000000000
GLOBL toValue<>(SB), RODATA|NOPTR, $16

// The three bytes of each 24-bit number, the highest first, next to each other.
DATA packBytes<>+0(SB)/8, $0x090a040506000102
DATA packBytes<>+8(SB)/8, $0xffffffff0c0d0e08
GLOBL packBytes<>(SB), RODATA|NOPTR, $16

// The twelve bytes of each half next to each other, as numbers of four bytes.
DATA packHalves<>+0(SB)/8, $0x0000000100000000
DATA packHalves<>+8(SB)/8, $0x0000000400000002
DATA packHalves<>+16(SB)/8, $0x0000000600000005
DATA packHalves<>+24(SB)/8, $0x0000000700000007
GLOBL packHalves<>(SB), RODATA|NOPTR, $32

// Each three bytes a b c as b a c b: every value lies within two neighbours.
DATA spreadBytes<>+0(SB)/8, $0x0405030401020001
DATA spreadBytes<>+8(SB)/8, $0x0a0b090a07080607
GLOBL spreadBytes<>(SB), RODATA|NOPTR, $16

// What to add to a value to get its letter: 65 for A-Z, 71 for a-z, -4 for ten
// digits, -19 for '+', -16 for '/'.
DATA toLetter<>+0(SB)/8, $0xfcfcfcfcfcfc4741
DATA toLetter<>+8(SB)/8, $0x0000f0edfcfcfcfc
GLOBL toLetter<>(SB), RODATA|NOPTR, $16

// Numbers of four bytes that fill a register.
DATA slashes<>+0(SB)/4, $0x2f2f2f2f // '/', also a mask of nibbles: no look-up regards bit 5
GLOBL slashes<>(SB), RODATA|NOPTR, $4
DATA join12<>+0(SB)/4, $0x01400140 // two values of 6 bits: the first × 64 + the second
GLOBL join12<>(SB), RODATA|NOPTR, $4
DATA join24<>+0(SB)/4, $0x00011000 // two numbers of 12 bits: the first × 4096 + the second
GLOBL join24<>(SB), RODATA|NOPTR, $4
DATA oddMask<>+0(SB)/4, $0x0fc0fc00 // the first and third value of four
GLOBL oddMask<>(SB), RODATA|NOPTR, $4
DATA oddShift<>+0(SB)/4, $0x04000040 // powers of two: the high half of the product is a shift right, by 10 and 6
GLOBL oddShift<>(SB), RODATA|NOPTR, $4
DATA evenMask<>+0(SB)/4, $0x003f03f0 // the second and fourth
GLOBL evenMask<>(SB), RODATA|NOPTR, $4
DATA evenShift<>+0(SB)/4, $0x01000010 // the low half of the product is a shift left, by 4 and 8
GLOBL evenShift<>(SB), RODATA|NOPTR, $4
DATA lastUpper<>+0(SB)/4, $0x19191919 // 25, the value of 'Z'
GLOBL lastUpper<>(SB), RODATA|NOPTR, $4
DATA lastLower<>+0(SB)/4, $0x33333333 // 51, the value of 'z'
GLOBL lastLower<>(SB), RODATA|NOPTR, $4

// ---- Registers ------------------------------------------------------------

#define DST   DI
#define ROOM  DX // bytes left in dst
#define SRC   SI
#define LEFT  CX // bytes left in src
#define DONE  AX // bytes of src that are done

// ---- Decoding -------------------------------------------------------------

#define LETTERS      Y0 // and then what becomes of them
#define HIGH         Y1
#define LOW          Y2
#define HIGH_GROUPS  Y3
#define LOW_GROUPS   Y4
#define OFFSET       Y5
#define LOW_NIBBLES  Y8
#define HIGH_NIBBLES Y9
#define TO_VALUE     Y10
#define PACK_BYTES   Y11
#define PACK_HALVES  Y12
#define SLASHES      Y13
#define JOIN12       Y14
#define JOIN24       Y15

// func decodeAVX2(dst, src []byte) int
TEXT ·decodeAVX2(SB), NOSPLIT, $0-56
	MOVQ dst_base+0(FP), DST
	MOVQ dst_len+8(FP), ROOM
	MOVQ src_base+24(FP), SRC
	MOVQ src_len+32(FP), LEFT
	XORQ DONE, DONE

	VBROADCASTI128 lowNibbles<>(SB), LOW_NIBBLES
	VBROADCASTI128 highNibbles<>(SB), HIGH_NIBBLES
	VBROADCASTI128 toValue<>(SB), TO_VALUE
	VBROADCASTI128 packBytes<>(SB), PACK_BYTES
	VMOVDQU        packHalves<>(SB), PACK_HALVES
	VPBROADCASTD   slashes<>(SB), SLASHES
	VPBROADCASTD   join12<>(SB), JOIN12
	VPBROADCASTD   join24<>(SB), JOIN24

decode:
	// A block reads 32 bytes of src, and writes 32 to dst, of which 24 count.
	CMPQ LEFT, $32
	JLT  decoded
	CMPQ ROOM, $32
	JLT  decoded
	VMOVDQU (SRC), LETTERS

	// Stop at a block with anything but letters in it.
	VPSRLD  $4, LETTERS, HIGH
	VPAND   SLASHES, HIGH, HIGH
	VPAND   SLASHES, LETTERS, LOW
	VPSHUFB HIGH, HIGH_NIBBLES, HIGH_GROUPS
	VPSHUFB LOW, LOW_NIBBLES, LOW_GROUPS
	VPTEST  HIGH_GROUPS, LOW_GROUPS
	JNZ     decoded

	// Letters to values of 6 bits. Where there is a slash, -1 is added to the
	// index.
	VPCMPEQB SLASHES, LETTERS, OFFSET
	VPADDB   HIGH, OFFSET, OFFSET
	VPSHUFB  OFFSET, TO_VALUE, OFFSET
	VPADDB   OFFSET, LETTERS, LETTERS

	// Four values to 24 bits, in numbers of four bytes.
	VPMADDUBSW JOIN12, LETTERS, LETTERS
	VPMADDWD   JOIN24, LETTERS, LETTERS

	// Their bytes in order, without gaps.
	VPSHUFB PACK_BYTES, LETTERS, LETTERS
	VPERMD  LETTERS, PACK_HALVES, LETTERS
	VMOVDQU LETTERS, (DST)

	ADDQ $32, SRC
	SUBQ $32, LEFT
	ADDQ $32, DONE
	ADDQ $24, DST
	SUBQ $24, ROOM
	JMP  decode

decoded:
	VZEROUPPER
	MOVQ DONE, ret+48(FP)
	RET

// ---- Encoding -------------------------------------------------------------

#define BYTES        Y0 // and then what becomes of them
#define BYTES_LOW    X0 // its lower half
#define ODD          Y1
#define EVEN         Y2
#define GROUP        Y1
#define NOT_UPPER    Y2
#define SPREAD_BYTES Y8
#define TO_LETTER    Y9
#define ODD_MASK     Y10
#define ODD_SHIFT    Y11
#define EVEN_MASK    Y12
#define EVEN_SHIFT   Y13
#define LAST_LOWER   Y14
#define LAST_UPPER   Y15

// func encodeAVX2(dst, src []byte) int
TEXT ·encodeAVX2(SB), NOSPLIT, $0-56
	MOVQ dst_base+0(FP), DST
	MOVQ dst_len+8(FP), ROOM
	MOVQ src_base+24(FP), SRC
	MOVQ src_len+32(FP), LEFT
	XORQ DONE, DONE

	VBROADCASTI128 spreadBytes<>(SB), SPREAD_BYTES
	VBROADCASTI128 toLetter<>(SB), TO_LETTER
	VPBROADCASTD   oddMask<>(SB), ODD_MASK
	VPBROADCASTD   oddShift<>(SB), ODD_SHIFT
	VPBROADCASTD   evenMask<>(SB), EVEN_MASK
	VPBROADCASTD   evenShift<>(SB), EVEN_SHIFT
	VPBROADCASTD   lastLower<>(SB), LAST_LOWER
	VPBROADCASTD   lastUpper<>(SB), LAST_UPPER

encode:
	// A block reads 28 bytes of src, of which 24 count, and writes 32 to dst.
	CMPQ LEFT, $28
	JLT  encoded
	CMPQ ROOM, $32
	JLT  encoded

	// Twelve bytes to each half, each three of them spread to four.
	VMOVDQU     (SRC), BYTES_LOW
	VINSERTI128 $1, 12(SRC), BYTES, BYTES
	VPSHUFB     SPREAD_BYTES, BYTES, BYTES

	// Four values of 6 bits, each in a byte of its own.
	VPAND    ODD_MASK, BYTES, ODD
	VPMULHUW ODD_SHIFT, ODD, ODD
	VPAND    EVEN_MASK, BYTES, EVEN
	VPMULLW  EVEN_SHIFT, EVEN, EVEN
	VPOR     ODD, EVEN, BYTES

	// Values to letters. The group is 0 for A-Z, 1 for a-z, and from 2 on one for
	// each of the others: how far the value is beyond 'z', and 1 more if it is
	// beyond 'Z'.
	VPSUBUSB LAST_LOWER, BYTES, GROUP
	VPCMPGTB LAST_UPPER, BYTES, NOT_UPPER
	VPSUBB   NOT_UPPER, GROUP, GROUP
	VPSHUFB  GROUP, TO_LETTER, GROUP
	VPADDB   GROUP, BYTES, BYTES
	VMOVDQU  BYTES, (DST)

	ADDQ $24, SRC
	SUBQ $24, LEFT
	ADDQ $24, DONE
	ADDQ $32, DST
	SUBQ $32, ROOM
	JMP  encode

encoded:
	VZEROUPPER
	MOVQ DONE, ret+48(FP)
	RET

// ---- The processor --------------------------------------------------------

// func detectAVX2() bool
TEXT ·detectAVX2(SB), NOSPLIT, $0-1
	MOVB $0, ret+0(FP)

	// Is there a leaf 7?
	XORL  AX, AX
	CPUID
	CMPL  AX, $7
	JLT   detected

	// Leaf 1: OSXSAVE (bit 27) and AVX (bit 28).
	MOVL  $1, AX
	XORL  CX, CX
	CPUID
	ANDL  $0x18000000, CX
	CMPL  CX, $0x18000000
	JNE   detected

	// Does the system save the registers, lower (bit 1) and upper halves (bit 2)?
	XORL  CX, CX
	XGETBV
	ANDL  $6, AX
	CMPL  AX, $6
	JNE   detected

	// Leaf 7: AVX2 (bit 5).
	MOVL  $7, AX
	XORL  CX, CX
	CPUID
	SHRL  $5, BX
	ANDL  $1, BX
	MOVB  BX, ret+0(FP)

detected:
	RET
