package server

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/adminapi"
)

// paged is one page of a list that is worked out whole, sorted by a key that no
// two items share, and the cursor for the next page, "" at the end. What is
// added or goes between two pages moves nothing: the cursor is the last key.
func paged[T any](all []T, p adminapi.Paged, key func(*T) string) ([]T, string, error) {
	after, err := base64.RawURLEncoding.DecodeString(p.After)
	if err != nil {
		return nil, "", gatehouse.E(gatehouse.Invalid, "after: %.40q is not a cursor that this list gave", p.After)
	}
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(key(&a), key(&b)) })
	if p.After != "" {
		from, _ := slices.BinarySearchFunc(all, string(after)+"\x00", func(t T, k string) int { return cmp.Compare(key(&t), k) })
		all = all[from:]
	}
	if p.Limit < 1 || len(all) <= p.Limit {
		return all, "", nil
	}
	all = all[:p.Limit]
	return all, base64.RawURLEncoding.EncodeToString([]byte(key(&all[p.Limit-1]))), nil
}

// inTime is a key that sorts by time; the name tells apart what is of one moment.
func inTime(t time.Time, name string) string { return fmt.Sprintf("%020d %s", t.UnixNano(), name) }

// pageNumber reads a cursor that is one; "" is 0.
func pageNumber(after string) (int64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 1 {
		return 0, gatehouse.E(gatehouse.Invalid, "after: %.40q is not a cursor that this list gave", after)
	}
	return n, nil
}
