package hours

import (
	"slices"
	"time"
)

// maxDays bounds what is walked through: more than ten years.
const maxDays = 4000

// Between is the working time from a to b, zero when b is not after a. Beyond
// ten years the rest is not looked at.
func (c *Calendar) Between(a, b time.Time) time.Duration {
	if !b.After(a) {
		return 0
	}
	if !c.bounded {
		return b.Sub(a)
	}
	var sum time.Duration
	c.walk(a, func(from, to time.Time) bool {
		if !from.Before(b) {
			return false
		}
		if to.After(b) {
			to = b
		}
		sum += to.Sub(from)
		return true
	})
	return sum
}

// After is the moment at which the working time d after t is used up. ok is
// false when that is more than ten years away, or never.
func (c *Calendar) After(t time.Time, d time.Duration) (at time.Time, ok bool) {
	if d <= 0 {
		return t, true
	}
	if !c.bounded {
		return t.Add(d), true
	}
	c.walk(t, func(from, to time.Time) bool {
		if have := to.Sub(from); have < d {
			d -= have
			return true
		}
		at, ok = from.Add(d), true
		return false
	})
	return at, ok
}

// Open reports whether t is within hours.
func (c *Calendar) Open(t time.Time) bool {
	return c.Between(t, t.Add(time.Nanosecond)) > 0
}

// walk yields working spans from a on, in order and without overlap, until
// yield says no.
func (c *Calendar) walk(a time.Time, yield func(from, to time.Time) bool) {
	local := a.In(c.zone)
	year, month, day := local.Date()
	done := a
	for i := range maxDays {
		y, m, d := time.Date(year, month, day+i, 12, 0, 0, 0, c.zone).Date()
		if c.holidays[date{y, m, d}] || c.yearly[monthDay{m, d}] {
			continue
		}
		spans := slices.Clone(c.week[time.Date(y, m, d, 12, 0, 0, 0, c.zone).Weekday()])
		slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
		for _, s := range spans {
			from, to := c.at(y, m, d, s.from), c.at(y, m, d, s.to)
			if from.Before(done) { // before a, or an hour that a change of clocks repeats
				from = done
			}
			if !to.After(from) {
				continue
			}
			done = to
			if !yield(from, to) {
				return
			}
		}
	}
}

// at is the first moment of a local time. An hour that a change of clocks
// leaves out begins where it would have.
func (c *Calendar) at(y int, m time.Month, d, minutes int) time.Time {
	return time.Date(y, m, d, minutes/60, minutes%60, 0, 0, c.zone).UTC()
}
