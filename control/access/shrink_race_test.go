//go:build race

package access

// shrink divides the sizes of scale_test.go: the race detector makes building
// a million assignments take minutes.
const shrink = 20
