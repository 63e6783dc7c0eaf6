package apikey

import (
	"crypto/rand"
	"hash/crc32"
	"math/big"
)

// Prefix begins every key, so that scanners for leaked secrets find them.
const Prefix = "gh_"

// Length is that of every key: the prefix, 43 digits for 256 random bits and 6
// digits of checksum, all in base 62.
const Length = len(Prefix) + randomDigits + checkDigits

const (
	digits       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	randomDigits = 43 // 62^43 > 2^256
	checkDigits  = 6  // 62^6 > 2^32
)

// New makes a key: 256 bits from the system's random source.
func New() string {
	var random [32]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return Of(random)
}

// Of is the key that says random.
func Of(random [32]byte) string {
	b := make([]byte, 0, Length)
	b = append(b, Prefix...)
	b = appendBase62(b, random[:], randomDigits)
	return string(appendSum(b))
}

// appendBase62 writes number, big-endian, in exactly n digits.
func appendBase62(b, number []byte, n int) []byte {
	v, base, digit := new(big.Int).SetBytes(number), big.NewInt(int64(len(digits))), new(big.Int)
	start := len(b)
	b = append(b, make([]byte, n)...)
	for i := len(b) - 1; i >= start; i-- {
		v.DivMod(v, base, digit)
		b[i] = digits[digit.Int64()]
	}
	return b
}

// appendSum writes the checksum of b behind it.
func appendSum(b []byte) []byte {
	sum := ^uint32(0) // CRC-32 by table: the library's moves b to the heap
	for _, c := range b {
		sum = crc32.IEEETable[byte(sum)^c] ^ sum>>8
	}
	sum = ^sum
	b = append(b, make([]byte, checkDigits)...)
	for i := range checkDigits {
		b[len(b)-1-i] = digits[sum%uint32(len(digits))]
		sum /= uint32(len(digits))
	}
	return b
}

// Valid tells whether key has the form of one: prefix, length, digits and
// checksum. It keeps typing mistakes and garbage from being hashed and looked
// up; it says nothing about whether the key exists.
func Valid(key string) bool {
	if len(key) != Length || key[:len(Prefix)] != Prefix {
		return false
	}
	var buf [Length]byte
	body := append(buf[:0], key[:Length-checkDigits]...)
	for _, c := range body[len(Prefix):] {
		if !isDigit(c) {
			return false
		}
	}
	return string(appendSum(body)) == key
}

func isDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
