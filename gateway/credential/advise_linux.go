package credential

import (
	"os"
	"syscall"
	"unsafe"
)

// advise asks for large pages where slots have not been touched yet. Where the
// system has none to give, all goes on with small ones.
func advise(slots []slot) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(slots))), len(slots)*int(unsafe.Sizeof(slot{})))
	page := os.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	if len(b)-skip >= 2<<20 {
		_ = syscall.Madvise(b[skip:], syscall.MADV_HUGEPAGE)
	}
}
