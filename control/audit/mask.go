package audit

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Masked stands where a secret stood.
const Masked = "(secret)"

// secretWords end the names of fields that hold secrets: "clientSecret",
// "db_password", "X-API-Key", "Set-Cookie".
var secretWords = []string{"secret", "secrets", "password", "passwords", "passwd", "passphrase", "pwd", "token", "tokens", "credential",
	"credentials", "authorization", "cookie", "cookies", "key", "keys", "apikey", "apikeys", "privatekey", "hmac", "pin", "otp"}

// namesSecret reports whether a field of this name holds a secret. The last
// word counts: "tokenEndpoint" and "keyHeader" are none.
func namesSecret(field string) bool {
	words := split(field)
	return len(words) > 0 && slices.Contains(secretWords, words[len(words)-1])
}

// split takes a name apart: "clientSecret", "client_secret" and
// "X-Client-Secret" alike.
func split(field string) (words []string) {
	var word []rune
	end := func() {
		if len(word) > 0 {
			words, word = append(words, strings.ToLower(string(word))), nil
		}
	}
	runes := []rune(field)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			end()
			continue
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			end()
		}
		word = append(word, r)
	}
	end()
	return words
}

var (
	// reference is a value that says where a secret is, and so may be seen.
	reference = regexp.MustCompile(`^((?i:bearer|basic|token) )?\$\{(env|file|vault):[^{}]*\}$`)
	// What is a secret wherever it stands.
	privateKey = regexp.MustCompile(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----`)
	scheme     = regexp.MustCompile(`(?i)\b(bearer|basic|digest|negotiate)\s+[A-Za-z0-9+/=._~-]{8,}`)
	own        = regexp.MustCompile(`\bgh[a-z]?_[0-9A-Za-z_-]{20,}|\bwhsec_[0-9A-Za-z_+/=-]{20,}`)
	jwt        = regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(\.[A-Za-z0-9_-]*)?`)
	userInfo   = regexp.MustCompile(`://([^/?#@\s:]*):([^/?#@\s]+)@`)
	parameter  = regexp.MustCompile(`([?&;])([A-Za-z0-9_.-]+)=([^&;#\s"]+)`)
)

// Mask hides what is a secret by its form in free text: keys and tokens of
// Gatehouse, JSON Web Tokens, credentials in header values and URLs, private
// keys. References such as ${env:NAME} stay.
func Mask(text string) string {
	if reference.MatchString(text) {
		return text
	}
	if privateKey.MatchString(text) {
		return Masked
	}
	text = scheme.ReplaceAllStringFunc(text, func(s string) string {
		word, _, _ := strings.Cut(s, " ")
		return word + " " + Masked
	})
	text = own.ReplaceAllString(text, Masked)
	text = jwt.ReplaceAllString(text, Masked)
	text = userInfo.ReplaceAllString(text, "://$1:"+Masked+"@")
	return parameter.ReplaceAllStringFunc(text, func(s string) string {
		m := parameter.FindStringSubmatch(s)
		if namesSecret(m[2]) && !strings.HasPrefix(m[3], "${") {
			return m[1] + m[2] + "=" + Masked
		}
		return s
	})
}

// mask returns a copy of v, decoded JSON, without secrets. In a list named
// "policies" the one key of an element is a policy's name, not a field.
func mask(v any, field string, secret bool) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = mask(e, k, secret || holds(v, field, k))
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = mask(e, field, secret)
		}
		return list
	case string:
		if secret && v != "" && !reference.MatchString(v) {
			return Masked
		}
		return Mask(v)
	case bool, nil:
		return v
	}
	if secret { // a number
		return Masked
	}
	return v
}

// holds reports whether the value at key k of object m, which is at field,
// is a secret: by its own name, or as the value of a header or parameter that
// is named beside it.
func holds(m map[string]any, field, k string) bool {
	if field == "policies" {
		return false
	}
	if k == "value" || k == "values" {
		for _, beside := range []string{"name", "header", "key", "param"} {
			if name, ok := m[beside].(string); ok && namesSecret(name) {
				return true
			}
		}
	}
	if k == "key" || k == "keys" { // {key: name, value: …} names, it does not hold
		if _, pair := m["value"]; pair {
			return false
		}
	}
	return namesSecret(k)
}
