package compile

import (
	"encoding/base64"
	"strconv"

	"gatehouse/jsonx"
	"gatehouse/snapshot"
)

// appendCredentials writes a shard exactly as [snapshot.Encode] does. A million
// keys are read at start and whenever an environment is new, and encoding them
// by reflection, then sorting their fields, takes twenty times as long; a test
// holds the two equal.
func appendCredentials(b []byte, c *snapshot.Credentials) []byte {
	b = append(b, `{"keys":[`...)
	for i := range c.Keys {
		k := &c.Keys[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		if k.Expires != 0 {
			b = append(strconv.AppendInt(append(b, `"e":`...), k.Expires, 10), ',')
		}
		b = base64.RawURLEncoding.AppendEncode(append(b, `"h":"`...), k.Hash[:])
		b = strconv.AppendInt(append(b, `","s":`...), int64(k.Subscription), 10)
		b = append(b, '}')
	}
	b = append(b, `],"subscriptions":[`...)
	for i := range c.Subscriptions {
		s := &c.Subscriptions[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"application":`...), s.Application)
		if s.Expires != 0 {
			b = strconv.AppendInt(append(b, `,"expires":`...), s.Expires, 10)
		}
		b = appendText(append(b, `,"name":`...), s.Name)
		b = appendText(append(b, `,"plan":`...), s.Plan)
		b = appendText(append(b, `,"product":`...), s.Product)
		b = append(b, '}')
	}
	return append(b, `]}`...)
}

// appendTails writes tails as [snapshot.Encode] does; digits and letters stand for
// themselves.
func appendTails(b []byte, t *snapshot.Tails) []byte {
	b = append(b, `{"keys":[`...)
	for i, k := range t.Keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, string(k))
	}
	return append(b, `]}`...)
}

// appendText writes a JSON string; what is not plain goes the ordinary way.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			quoted, err := jsonx.Marshal(text)
			if err != nil {
				panic(err) // text always encodes
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
