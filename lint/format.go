package lint

import (
	"math"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// numberFormat checks the formats of numbers; others, and unknown ones, hold.
func numberFormat(format string, n float64) bool {
	switch format {
	case "int32":
		return n == math.Trunc(n) && n >= math.MinInt32 && n <= math.MaxInt32
	case "int64":
		return n == math.Trunc(n)
	}
	return true
}

// textFormats are the formats of text that are looked at.
var textFormats = map[string]func(string) bool{
	"date":      isDate,
	"time":      isTime,
	"date-time": isDateTime,
	"duration":  isDuration,
	"uri": func(s string) bool {
		return strings.ContainsAny(s, "/:") && uriForm.MatchString(s) && uriScheme.MatchString(s)
	},
	"uri-reference":             uriForm.MatchString,
	"uri-template":              isURITemplate,
	"url":                       urlForm.MatchString,
	"email":                     emailForm.MatchString,
	"hostname":                  isHostname,
	"ipv4":                      ipv4Form.MatchString,
	"ipv6":                      isIPv6,
	"regex":                     isRegexp,
	"uuid":                      uuidForm.MatchString,
	"json-pointer":              pointerForm.MatchString,
	"json-pointer-uri-fragment": fragmentForm.MatchString,
	"relative-json-pointer":     relativeForm.MatchString,
	"byte":                      byteForm.MatchString,
}

func textFormat(format, s string) bool {
	check, known := textFormats[format]
	return !known || check(s)
}

var (
	// RFC 3986 appendix A: scheme, authority, path, query and fragment; each
	// of letters that may stand there or percent signs with two digits.
	uriForm      = regexp.MustCompile(`(?i)^(?:[a-z][a-z0-9+.-]*:)?(?:/?//?(?:(?:[a-z0-9._~!$&'()*+,;=:-]|%[0-9a-f]{2})*@)?(?:\[[0-9a-fv:.]+\]|(?:[a-z0-9._~!$&'()*+,;="-]|%[0-9a-f]{2})*)(?::[0-9]*)?)?(?:[a-z0-9._~!$&'()*+,;=:@/"-]|%[0-9a-f]{2})*(?:\?(?:[a-z0-9._~!$&'()*+,;=:@/?"-]|%[0-9a-f]{2})*)?(?:#(?:[a-z0-9._~!$&'()*+,;=:@/?"-]|%[0-9a-f]{2})*)?$`)
	uriScheme    = regexp.MustCompile(`(?i)^[a-z][a-z0-9+.-]*:`)
	urlForm      = regexp.MustCompile(`(?i)^(?:https?|ftp)://(?:\S+(?::\S*)?@)?[^\s/?#.]+(?:\.[^\s/?#.]+)+(?::\d{2,5})?(?:/\S*)?$`)
	emailForm    = regexp.MustCompile("(?i)^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$")
	hostForm     = regexp.MustCompile(`(?i)^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$`)
	ipv4Form     = regexp.MustCompile(`^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]{1,2})$`)
	uuidForm     = regexp.MustCompile(`(?i)^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	pointerForm  = regexp.MustCompile(`^(?:/(?:[^~/]|~0|~1)*)*$`)
	fragmentForm = regexp.MustCompile(`(?i)^#(?:/(?:[a-z0-9_.!$&'()*+,;:=@-]|%[0-9a-f]{2}|~0|~1)*)*$`)
	relativeForm = regexp.MustCompile(`^(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~0|~1)*)*)$`)
	byteForm     = regexp.MustCompile(`(?m)^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$`)
	timeForm     = regexp.MustCompile(`(?i)^(\d\d):(\d\d):(\d\d)(\.\d+)?(z|[+-]\d\d(?::?\d\d)?)?$`)
	daysForm     = regexp.MustCompile(`^P(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)$`)
	templateForm = regexp.MustCompile(`(?i)^(?:[^\x00-\x20"'<>%\\^` + "`" + `{|}]|%[0-9a-f]{2}|\{[+#./;?&=,!@|]?(?:[a-z0-9_]|%[0-9a-f]{2})+(?::[1-9][0-9]{0,3}|\*)?(?:,(?:[a-z0-9_]|%[0-9a-f]{2})+(?::[1-9][0-9]{0,3}|\*)?)*\})*$`)
)

func isDate(s string) bool {
	t, err := time.Parse("2006-01-02", s)
	return err == nil && t.Format("2006-01-02") == s
}

func isTime(s string) bool {
	m := timeForm.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	h, _ := strconv.Atoi(m[1])
	min, _ := strconv.Atoi(m[2])
	sec, _ := strconv.Atoi(m[3])
	return h <= 23 && min <= 59 && sec <= 59 || h == 23 && min == 59 && sec == 60
}

// isDateTime takes a space for the "T", as RFC 3339 §5.6 allows, and a time
// without zone, as Spectral does.
func isDateTime(s string) bool {
	i := strings.IndexAny(s, "tT \t\n")
	if i < 0 {
		return false
	}
	return isDate(s[:i]) && isTime(s[i+1:])
}

func isDuration(s string) bool {
	return daysForm.MatchString(s) && s != "P" && !strings.HasSuffix(s, "T")
}

func isURITemplate(s string) bool { return templateForm.MatchString(s) }

func isHostname(s string) bool {
	return len(strings.TrimSuffix(s, ".")) <= 253 && hostForm.MatchString(s)
}

func isIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6() && a.Zone() == ""
}

func isRegexp(s string) bool {
	return metaRegexp(nil, &value{kind: text, str: s}) == nil
}
