//go:build !race

package access

// shrink is 1: the sizes of scale_test.go are as issue 2 has them.
const shrink = 1
