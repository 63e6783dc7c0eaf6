package gatehouse

// An Application is a caller, owned by a team, never by one person.
type Application struct {
	Title   string `json:"title,omitempty"`   // for people, a few words
	Summary string `json:"summary,omitempty"` // for people, a sentence or two
	// Clients are identities at token issuers that stand for the application,
	// for APIs with access: token.
	Clients []ApplicationClient `json:"clients,omitempty"`
}

// An ApplicationClient is the application at one token issuer.
type ApplicationClient struct {
	Issuer   string `json:"issuer"`
	ClientID string `json:"clientId"`
}

// Check reports what is wrong with the application alone.
func (s *Application) Check(c *Checker) {
	c.text("title", s.Title, 200)
	c.text("summary", s.Summary, 5000)
	unique(c.At("clients"), s.Clients, "", func(a ApplicationClient) string { return a.ClientID + " at " + a.Issuer })
	for i, a := range s.Clients {
		at := c.At("clients").At(i)
		if a.Issuer == "" {
			at.Errorf("issuer is missing: who issues the client's tokens, such as \"https://id.example.com\"")
		} else {
			at.At("issuer").URL(a.Issuer, "http", "https")
		}
		if a.ClientID == "" {
			at.Errorf("clientId is missing")
		}
		at.text("clientId", a.ClientID, 256)
	}
}
