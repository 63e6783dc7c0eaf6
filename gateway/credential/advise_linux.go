package credential

import (
	"os"
	"syscall"
	"unsafe"
)

// advise asks for large pages where b has not been touched yet. Where the system
// has none to give, all goes on with small ones.
func advise(b []byte) {
	page := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	if skip < len(b) {
		_ = syscall.Madvise(b[skip:], syscall.MADV_HUGEPAGE)
	}
}
