package limit

import (
	"sync/atomic"
	"time"

	"gatehouse/policy"
)

// A windowSpan is the window that a moment lies in; end is in Unix nanoseconds.
type windowSpan struct{ number, start, end int64 }

// calendars remembers the current window of each calendar kind, since finding a
// month costs more than counting.
type calendars struct {
	spans [month + 1]atomic.Pointer[windowSpan]
}

// window is that of b at now. Windows without a calendar are aligned to the
// Unix epoch, so that instances agree on them.
func (c *calendars) window(b policy.Budget, now time.Time) (windowSpan, kind) {
	k := window
	switch b.Calendar {
	case "hour":
		k = hour
	case "day":
		k = day
	case "week":
		k = week
	case "month":
		k = month
	default:
		return span(window, max(1, int64(b.Per)), now.UnixNano()), k
	}
	at := now.UnixNano()
	if s := c.spans[k].Load(); s != nil && s.start <= at && at < s.end {
		return *s, k
	}
	s := span(k, 0, at)
	c.spans[k].Store(&s)
	return s, k
}

// span finds the window of kind k that at, in Unix nanoseconds, lies in.
func span(k kind, per, at int64) windowSpan {
	var offset int64
	switch k {
	case hour:
		per = int64(time.Hour)
	case day:
		per = int64(24 * time.Hour)
	case week:
		per, offset = int64(7*24*time.Hour), int64(4*24*time.Hour) // 1970-01-05 was a Monday
	case month:
		t := time.Unix(0, at).UTC()
		y, m, _ := t.Date()
		return windowSpan{
			number: int64(y)*12 + int64(m) - 1,
			start:  time.Date(y, m, 1, 0, 0, 0, 0, time.UTC).UnixNano(),
			end:    time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC).UnixNano(),
		}
	}
	n := (at - offset) / per
	if (at-offset)%per < 0 {
		n--
	}
	return windowSpan{number: n, start: n*per + offset, end: (n+1)*per + offset}
}

func number(k kind, per, at int64) int64 { return span(k, max(1, per), at).number }

// Window is the window of a budget that is not a bucket, at now.
func Window(b policy.Budget, now time.Time) (start, end time.Time) {
	var c calendars
	s, _ := c.window(b, now)
	return time.Unix(0, s.start), time.Unix(0, s.end)
}
