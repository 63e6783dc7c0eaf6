//go:build !linux

package credential

// advise asks for large pages, where there is a way to ask.
func advise([]slot) {}
