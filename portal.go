package gatehouse

import "encoding/json"

// A Portal is how the portal looks and whom it lets in.
type Portal struct {
	Title    string          `json:"title,omitempty"`    // for people, a few words
	Host     string          `json:"host,omitempty"`     // that the portal answers on
	Audience string          `json:"audience,omitempty"` // internal, partner or public
	Theme    json.RawMessage `json:"theme,omitempty"`    // colours and pictures
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
