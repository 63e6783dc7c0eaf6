package pipeline

import "sync/atomic"

// A unit is something that is built from one chunk and holds resources: it is
// used by the table and by each request in work on it, and lets go of the
// resources when the last of them is done.
type unit struct {
	users   atomic.Int64
	release func()
}

// hold counts a user in; false when the unit has let go already.
func (u *unit) hold() bool {
	for {
		n := u.users.Load()
		if n == 0 {
			return false
		}
		if u.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Done counts a user out.
func (u *unit) Done() {
	if u.users.Add(-1) == 0 && u.release != nil {
		u.release()
	}
}
