package cors

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxNames bounds lists, maxOrigin one origin.
const (
	maxNames  = 200
	maxOrigin = 300
)

// origins are those that may call.
type origins struct {
	any   bool
	exact map[string]struct{}
	below []below
}

// below is "https://*.example.com:8443" in its two halves.
type below struct{ scheme, rest string } // "https://", ".example.com:8443"

func parseOrigins(list []string) (origins, error) {
	o := origins{exact: make(map[string]struct{}, len(list))}
	if len(list) == 0 {
		return o, errors.New(`origins: is empty; ["https://app.example.com"] would do`)
	}
	if len(list) > maxNames {
		return o, fmt.Errorf("origins: %d are more than %d", len(list), maxNames)
	}
	for i, text := range list {
		if text == "*" {
			o.any = true
			continue
		}
		scheme, host, ok := cutScheme(text)
		if !ok {
			return o, fmt.Errorf("origins[%d]: %w", i, malformed(text))
		}
		if rest, ok := strings.CutPrefix(host, "*"); ok {
			if len(rest) < 2 || rest[0] != '.' || !isHost(rest[1:]) || !strings.Contains(rest[1:], ".") && !strings.HasPrefix(rest, ".localhost") {
				return o, fmt.Errorf("origins[%d]: %w", i, malformed(text))
			}
			o.below = append(o.below, below{scheme, rest})
			continue
		}
		if !isHost(host) {
			return o, fmt.Errorf("origins[%d]: %w", i, malformed(text))
		}
		o.exact[text] = struct{}{}
	}
	return o, nil
}

func malformed(text string) error {
	return fmt.Errorf(`%q is not an origin as browsers send it: "https://app.example.com", lower case, without a path or a default port; "https://*.example.com" and "*" would do too`, text)
}

func cutScheme(text string) (scheme, host string, ok bool) {
	for _, s := range []string{"https://", "http://"} {
		if host, ok := strings.CutPrefix(text, s); ok && len(text) <= maxOrigin {
			if s == "https://" && strings.HasSuffix(host, ":443") || s == "http://" && strings.HasSuffix(host, ":80") {
				return "", "", false // browsers leave default ports out
			}
			return s, host, true
		}
	}
	return "", "", false
}

// isHost tells whether text is a lower-case host with or without a port.
func isHost(text string) bool {
	if strings.HasPrefix(text, "[") {
		host, port, ok := strings.Cut(text[1:], "]")
		a, err := netip.ParseAddr(host)
		return ok && err == nil && a.Is6() && (port == "" || port[0] == ':' && isPort(port[1:]))
	}
	host, port, ok := strings.Cut(text, ":")
	if ok && !isPort(port) || host == "" {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0 && text[0] != '0'
}

// match tells whether a page of origin may call.
func (o *origins) match(origin string) bool {
	if o.any {
		return true
	}
	if _, ok := o.exact[origin]; ok {
		return true
	}
	for _, b := range o.below {
		if len(origin) > len(b.scheme)+len(b.rest) && len(origin) <= maxOrigin &&
			strings.HasPrefix(origin, b.scheme) && strings.HasSuffix(origin, b.rest) &&
			isHost(origin[len(b.scheme):]) {
			return true
		}
	}
	return false
}
