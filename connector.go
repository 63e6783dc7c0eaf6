package gatehouse

import (
	"encoding/json"
	"strings"

	"gatehouse/jsonx"
)

// A Connector is another platform that Gatehouse works with.
type Connector struct {
	Title    string          `json:"title,omitempty"`    // for people, a few words
	Platform string          `json:"platform"`           // aws, azure, gcp, kong, local
	Settings json.RawMessage `json:"settings,omitempty"` // as the platform needs them
}

// Check reports what is wrong with the connector alone.
func (s *Connector) Check(c *Checker) {
	c.text("title", s.Title, 200)
	if s.Platform == "" {
		c.Errorf("platform is missing: aws, azure, gcp, kong or local")
	} else {
		c.At("platform").OneOf(s.Platform, false, "aws", "azure", "gcp", "kong", "local")
	}
	c.At("settings").settings(s.Settings)
}

// settings reports free settings that are no map, or hold a secret in clear.
func (c *Checker) settings(raw json.RawMessage) {
	if len(raw) == 0 || string(raw) == "null" {
		return
	}
	tree, err := jsonx.Tree(raw)
	if _, ok := tree.(map[string]any); err != nil || !ok {
		c.Errorf("is not a map of settings")
		return
	}
	c.secrets(tree)
}

// secretWords are parts of field names whose values are secrets.
var secretWords = []string{"password", "passwd", "secret", "privatekey", "apikey", "accesskey", "token", "credential", "connectionstring"}

func (c *Checker) secrets(tree any) {
	switch t := tree.(type) {
	case map[string]any:
		for _, k := range sortedKeys(t) {
			if text, ok := t[k].(string); ok && namesSecret(k) {
				c.At(k).Secret(text)
			}
			c.At(k).secrets(t[k])
		}
	case []any:
		for i, e := range t {
			c.At(i).secrets(e)
		}
	}
}

// namesSecret reports whether a field of that name holds a secret. Ends such as
// "tokenUrl" or "secretName" say where one is, not what it is.
func namesSecret(field string) bool {
	f := strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(field))
	for _, end := range []string{"url", "uri", "name", "id", "path", "ttl", "arn", "endpoint", "file"} {
		if strings.HasSuffix(f, end) {
			return false
		}
	}
	for _, w := range secretWords {
		if strings.Contains(f, w) {
			return true
		}
	}
	return false
}
