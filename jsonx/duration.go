package jsonx

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Duration is a length of time written as people write it in files: "250ms",
// "10s", "5m", "1h30m", "30d". A day, "d", is 24 hours. The zero value means
// that none was given.
type Duration time.Duration

// ParseDuration reads text such as "1m" or "30d"; negative values are refused.
func ParseDuration(text string) (Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err == nil {
			return Duration(time.Duration(n) * 24 * time.Hour), nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration such as \"250ms\", \"10s\", \"5m\", \"1h30m\" or \"30d\"", text)
	}
	return Duration(d), nil
}

// Std is the duration as the standard library counts it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes d so that [ParseDuration] reads it back.
func (d Duration) String() string {
	if day := Duration(24 * time.Hour); d != 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalJSON writes d as text.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads text; a bare number is refused because it has no unit.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("a duration is text with a unit, such as \"10s\", not %s", data)
	}
	v, err := ParseDuration(text)
	if err != nil {
		return err
	}
	*d = v
	return nil
}
