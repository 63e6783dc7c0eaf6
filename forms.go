package gatehouse

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var (
	subjectForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9@._+]{0,252}[a-z0-9])?$`)
	versionForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$`)
	hashForm    = regexp.MustCompile(`^[0-9a-f]{4,64}$`)
	hostForm    = regexp.MustCompile(`^[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?(\.[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9_])?)*$`)
	pathForm    = regexp.MustCompile(`^(/[-A-Za-z0-9._~!$&'()*+,;=:@]+)+$`)
	fieldForm   = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]{1,100}$")
	actionForm  = regexp.MustCompile(`^(\*|[a-z][-a-z]*)(\.(\*|[a-z][-a-z]*))*$`)
	secretForm  = regexp.MustCompile(`^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+|vault:[^}#]+#[^}#]+)\}$`)
	placeForm   = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9._ ]{0,62}$`)
)

// IsReference reports whether text is a reference to a secret: "${env:NAME}",
// "${file:path}" or "${vault:path#field}".
func IsReference(text string) bool { return secretForm.MatchString(text) }

// Subject reports what cannot be the name of a user, service account or
// assignment.
func (c *Checker) subjectName(value string) {
	if !subjectForm.MatchString(value) {
		c.Errorf("%q is not a name: lower-case letters, digits, \"-\", \"@\", \".\", \"_\" and \"+\", at most 254, beginning and ending with a letter or digit", value)
	}
}

func (c *Checker) versionName(value string) {
	if !versionForm.MatchString(value) {
		c.Errorf("%q is not a version's name, such as \"v1\" or \"2026.1\": lower-case letters, digits, \"-\" and \".\"", value)
	}
}

// Subject reports what does not name someone: "user:alice@example.com",
// "group:payments-devs" or "service:ci".
func (c *Checker) Subject(value string) {
	kind, name, ok := strings.Cut(value, ":")
	switch {
	case !ok || (kind != "user" && kind != "group" && kind != "service"):
		c.Errorf("%q names nobody: \"user:alice@example.com\", \"group:payments-devs\" or \"service:ci\"", value)
	case kind == "group" && !nameForm.MatchString(name), kind != "group" && !subjectForm.MatchString(name):
		c.Errorf("%q: %q is not the name of a %s", value, name, kind)
	}
}

// Scope reports what is no place where a role can hold.
func (c *Checker) Scope(value string) {
	if value == "organization" {
		return
	}
	kind, rest, ok := strings.Cut(value, "/")
	switch {
	case ok && (kind == "team" || kind == "environment"):
		if !nameForm.MatchString(rest) {
			c.Errorf("%q: %q is not the name of a %s", value, rest, kind)
		}
		return
	case ok:
		for _, k := range Kinds {
			if string(k.Kind) == kind {
				c.scopeObject(value, k, rest)
				return
			}
		}
	}
	c.Errorf("%q is not a scope: \"organization\", \"team/payments\", \"environment/prod\" or one object, \"API/payments/orders\"", value)
}

func (c *Checker) scopeObject(value string, k KindInfo, rest string) {
	team, name, owned := strings.Cut(rest, "/")
	switch {
	case k.Owned && !(owned && nameForm.MatchString(team) && nameForm.MatchString(name)):
		c.Errorf("%q is not a scope: one %s is \"%s/team/name\"", value, k.Kind, k.Kind)
	case !k.Owned && !subjectForm.MatchString(rest):
		c.Errorf("%q is not a scope: one %s is \"%s/name\"", value, k.Kind, k.Kind)
	}
}

// Reference reports what cannot name an object of a team: "orders" or
// "payments/orders".
func (c *Checker) Reference(value string) {
	team, name, owned := strings.Cut(value, "/")
	if !owned {
		team, name = "x", value
	}
	if !nameForm.MatchString(team) || !nameForm.MatchString(name) {
		c.Errorf("%q is not a reference: a name of the same team, or \"team/name\"", value)
	}
}

// VersionReference reports what cannot name an API or a version of one:
// "orders", "billing/invoices@v2".
func (c *Checker) VersionReference(value string) {
	rest, revision, hasRevision := strings.Cut(value, "#")
	ref, version, hasVersion := strings.Cut(rest, "@")
	team, name, owned := strings.Cut(ref, "/")
	if !owned {
		team, name = "x", ref
	}
	if !nameForm.MatchString(team) || !nameForm.MatchString(name) ||
		hasVersion && !versionForm.MatchString(version) || hasRevision && !(hasVersion && hashForm.MatchString(revision)) {
		c.Errorf("%q does not name an API or a version: \"orders\", \"team/orders\" or \"team/orders@v2\"", value)
	}
}

// Host reports what is not a host name or address as a Host field carries it:
// lower case, without scheme and port.
func (c *Checker) Host(value string) {
	bare := strings.TrimPrefix(value, "*.")
	if len(bare) <= 253 && hostForm.MatchString(bare) {
		return
	}
	if a, err := netip.ParseAddr(value); err == nil && a.Zone() == "" {
		return
	}
	what := "a host name such as \"api.example.com\" or \"*.example.com\""
	switch {
	case strings.Contains(value, "://"):
		c.Errorf("%q is not a host: leave out the scheme", value)
	case strings.ToLower(value) != value:
		c.Errorf("%q is not a host: write it in lower case", value)
	case strings.Contains(value, ":"):
		c.Errorf("%q is not a host: leave out the port", value)
	default:
		c.Errorf("%q is not %s", value, what)
	}
}

// URL reports what is not an absolute URL of one of the schemes, or carries a
// password.
func (c *Checker) URL(value string, schemes ...string) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Hostname() == "" || !contains(schemes, u.Scheme) {
		c.Errorf("%q is not a URL such as %q", value, schemes[len(schemes)-1]+"://api.example.com")
		return
	}
	switch {
	case u.User != nil:
		c.Errorf("%q carries a user or password: secrets do not stand in files", u.Redacted())
	case u.Fragment != "":
		c.Errorf("%q has a fragment, which no server sees: leave out %q", value, "#"+u.Fragment)
	case u.Port() == "0" || len(u.Port()) > 5 || len(u.Port()) == 5 && u.Port() > "65535":
		c.Errorf("%q: %q is not a port", value, u.Port())
	}
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// BasePath reports what cannot be the public base path of a version: it begins
// with "/", ends without one, and is plain text, so that it can be read in one
// way only.
func (c *Checker) BasePath(value string) {
	switch {
	case value == "":
		c.Errorf("is missing: the public base path, such as \"/orders/v1\"")
	case value == "/":
	case strings.ContainsAny(value, "{}"):
		c.Errorf("%q: a base path has no parameters; those belong into the definition", value)
	case !pathForm.MatchString(value):
		c.Errorf("%q is not a base path such as \"/orders/v1\": begin with \"/\", end without it, and use letters, digits and -._~!$&'()*+,;=:@", value)
	case hasDots(value):
		c.Errorf("%q: \".\" and \"..\" are not segments of a base path", value)
	case len(value) > 512:
		c.Errorf("is longer than 512 characters")
	}
}

func hasDots(path string) bool {
	for s := range strings.SplitSeq(path, "/") {
		if s == "." || s == ".." {
			return true
		}
	}
	return false
}

// Date reports what is not a date, 2027-01-31.
func (c *Checker) Date(value string) {
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		c.Errorf("%q is not a date such as \"2027-01-31\"", value)
	}
}

// Moment reports what is neither a date nor an RFC 3339 time.
func (c *Checker) Moment(value string) {
	if _, err := ParseMoment(value); err != nil {
		c.Errorf("%s", err)
	}
}

// ParseMoment reads an end: an RFC 3339 time, or a date, which stands for the
// end of that day in UTC.
func ParseMoment(value string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, value); err == nil {
		return t.UTC(), nil
	}
	t, err := time.Parse(time.DateOnly, value)
	if err != nil {
		return time.Time{}, E(Invalid, "%q is neither a date such as \"2027-06-30\" nor an RFC 3339 time", value)
	}
	return t.AddDate(0, 0, 1), nil
}

// Secret reports a value that is not a reference. The value itself is not
// repeated: it may be a secret.
func (c *Checker) Secret(value string) {
	if value != "" && !IsReference(value) {
		c.Errorf("secrets do not stand in files: write a reference, ${env:NAME}, ${file:path} or ${vault:path#field}")
	}
}

// certificate reports a private key where certificates belong, and broken
// references.
func (c *Checker) certificate(value string) {
	switch {
	case value == "" || IsReference(value):
	case strings.Contains(value, "PRIVATE KEY"):
		c.Errorf("holds a private key: secrets do not stand in files; write a reference, ${file:path}")
	case !strings.Contains(value, "-----BEGIN CERTIFICATE-----"):
		c.Errorf("is neither a certificate in PEM nor a reference such as ${file:path}")
	}
}

// unique reports values that stand twice in a list; field is the part of each
// item that holds it, "" for the item itself.
func unique[T any](c *Checker, items []T, field string, key func(T) string) {
	first := make(map[string]int, len(items))
	for i, item := range items {
		k := key(item)
		j, twice := first[k]
		switch {
		case !twice:
			first[k] = i
		case field == "":
			c.At(i).Errorf("%q stands twice, first at index %d", k, j)
		default:
			c.At(i).At(field).Errorf("%q stands twice, first at index %d", k, j)
		}
	}
}

func same(s string) string { return s }

// text bounds what is shown to people.
func (c *Checker) text(field, value string, limit int) {
	if len(value) > limit {
		c.At(field).Errorf("is %d bytes long; at most %d", len(value), limit)
	}
	if strings.ContainsRune(value, 0) {
		c.At(field).Errorf("holds a NUL character")
	}
}
