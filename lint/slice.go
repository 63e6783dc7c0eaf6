package lint

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A slice is [from:to:by]; negative numbers count from the end.
type slice struct {
	from, to int
	by       int
}

func parseSlice(text string) (*slice, error) {
	s := &slice{from: 0, to: math.MaxInt32, by: 1}
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return nil, fmt.Errorf("%q has more than three numbers", text)
	}
	for i, into := range []*int{&s.from, &s.to, &s.by}[:len(parts)] {
		if parts[i] = strings.TrimSpace(parts[i]); parts[i] == "" {
			continue
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil {
			return nil, fmt.Errorf("%q is not a number", parts[i])
		}
		*into = n
	}
	if s.by <= 0 {
		return nil, fmt.Errorf("steps of %d; they go forward, by 1 or more", s.by)
	}
	return s, nil
}

// holds reports whether the slice takes the index of a list of so many.
func (s *slice) holds(i, length int) bool {
	from, to := s.from, s.to
	if from < 0 {
		from = max(0, length+from)
	}
	if to < 0 {
		to = length + to
	}
	return i >= from && i < to && (i-from)%s.by == 0
}
