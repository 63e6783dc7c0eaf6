package gatehouse

import "encoding/json"

// A Portal is how the portal looks and whom it lets in.
type Portal struct {
	Title    string          `json:"title,omitempty"`
	Host     string          `json:"host,omitempty"`
	Audience string          `json:"audience,omitempty"`
	Theme    json.RawMessage `json:"theme,omitempty"`
}

// Check reports what is wrong with the portal alone.
func (s *Portal) Check(c *Checker) {
	c.text("title", s.Title, 200)
	if s.Host != "" {
		c.At("host").Host(s.Host)
	}
	c.At("audience").audience(s.Audience)
	c.At("theme").settings(s.Theme)
}
