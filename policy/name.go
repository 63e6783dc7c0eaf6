package policy

import "strings"

// IsToken tells whether name can be a field name (RFC 9110 §5.6.2).
func IsToken(name string) bool {
	if name == "" {
		return false
	}
	for i := range len(name) {
		c := name[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' {
			continue
		}
		if strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return true
}

// IsValue tells whether v can be a field value as it stands (RFC 9110 §5.5):
// no control character but tab, and no space at either end.
func IsValue(v string) bool {
	for i := range len(v) {
		if c := v[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return v == strings.Trim(v, " \t")
}

// framing are the fields that say how a message or a connection is to be read
// (RFC 9110 §7.6.1, RFC 9112 §6) or where it goes. Engines alone write them.
var framing = map[string]bool{
	"connection": true, "content-length": true, "expect": true, "host": true, "http2-settings": true,
	"keep-alive": true, "proxy-authenticate": true, "proxy-authorization": true, "proxy-connection": true,
	"te": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
}

// Framing tells whether the field belongs to the engines: it frames messages,
// manages connections or says where a request goes.
func Framing(name string) bool { return framing[strings.ToLower(name)] }

// Identity tells whether the field says on the gateway's word who calls or how
// the request came. Underscores count as dashes, as backends that read fields
// from CGI variables cannot tell them apart (RFC 3875 §4.1.18).
func Identity(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	switch name {
	case "forwarded", "via", "x-real-ip", "proxy-status":
		return true
	}
	return strings.HasPrefix(name, "x-forwarded-") || strings.HasPrefix(name, "gatehouse-") || strings.HasPrefix(name, "x-gatehouse-")
}
