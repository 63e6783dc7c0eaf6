package report

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// Bins is a fine histogram by [BinBounds]: the bins that hold anything, in order.
type Bins []BinCount

// A BinCount is how many requests lie in one bin, more than none.
type BinCount struct {
	Bin int // see [Bin]
	N   int64
}

// binsForm is the first byte of encoded bins: by which bounds they go. A reader
// that does not know the form has the coarse histogram.
const binsForm = 1

// maxInBin bounds one number, so that no sum can overflow.
const maxInBin = 1 << 50

// Encode is the bins in few bytes: the form, then for each bin how many are left
// out before it and what it holds, as variable-length numbers. None is nil.
func (b Bins) Encode() []byte {
	if len(b) == 0 {
		return nil
	}
	out, next := append(make([]byte, 0, 1+3*len(b)), binsForm), 0
	for _, c := range b {
		out = binary.AppendUvarint(out, uint64(c.Bin-next))
		out = binary.AppendUvarint(out, uint64(c.N))
		next = c.Bin + 1
	}
	return out
}

// DecodeBins reads what Encode wrote. A form that is not known gives none.
func DecodeBins(data []byte) (Bins, error) {
	if len(data) == 0 || data[0] != binsForm {
		return nil, nil
	}
	data = data[1:]
	b, next := make(Bins, 0, len(data)/2), 0
	for len(data) > 0 {
		gap, size := binary.Uvarint(data)
		if size <= 0 {
			return nil, errors.New("latency bins: the encoding breaks off")
		}
		n, more := binary.Uvarint(data[size:])
		if more <= 0 {
			return nil, errors.New("latency bins: the encoding breaks off")
		}
		if gap >= uint64(NumBins-next) || n == 0 || n > maxInBin {
			return nil, fmt.Errorf("latency bins: %d requests %d bins behind bin %d; there are %d bins, which hold 1 to %d", n, gap, next, NumBins, int64(maxInBin))
		}
		b = append(b, BinCount{next + int(gap), int64(n)})
		next += int(gap) + 1
		data = data[size+more:]
	}
	return b, nil
}

// MarshalText is Encode in base64.
func (b Bins) MarshalText() ([]byte, error) {
	return base64.RawStdEncoding.AppendEncode(nil, b.Encode()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (b *Bins) UnmarshalText(text []byte) error {
	data, err := base64.RawStdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("latency bins: %w", err)
	}
	*b, err = DecodeBins(data)
	return err
}

// Add adds what other holds and returns the sum, which may use the memory of b.
func (b Bins) Add(other Bins) Bins {
	missing, i := 0, 0
	for _, c := range other {
		for i < len(b) && b[i].Bin < c.Bin {
			i++
		}
		if i == len(b) || b[i].Bin != c.Bin {
			missing++
		}
	}
	// From the end, so that nothing is overwritten that is still to be read.
	i = len(b) - 1
	b = append(b, make(Bins, missing)...)
	to := len(b) - 1
	for j := len(other) - 1; j >= 0; to-- {
		switch {
		case i >= 0 && b[i].Bin > other[j].Bin:
			b[to] = b[i]
			i--
		case i >= 0 && b[i].Bin == other[j].Bin:
			b[to] = BinCount{b[i].Bin, b[i].N + other[j].N}
			i, j = i-1, j-1
		default:
			b[to] = other[j]
			j--
		}
	}
	return b
}

// Less is what is left of b without other, never below nothing.
func (b Bins) Less(other Bins) Bins {
	out, i := make(Bins, 0, len(b)), 0
	for _, c := range b {
		for i < len(other) && other[i].Bin < c.Bin {
			i++
		}
		if i < len(other) && other[i].Bin == c.Bin {
			c.N -= other[i].N
		}
		if c.N > 0 {
			out = append(out, c)
		}
	}
	return out
}

// Steps is the coarse histogram of the bins, as long as it needs to be.
func (b Bins) Steps() []int64 {
	if len(b) == 0 {
		return nil
	}
	steps := make([]int64, Step(b[len(b)-1].Bin)+1)
	for _, c := range b {
		steps[Step(c.Bin)] += c.N
	}
	return steps
}
