package server

import (
	"github.com/danielgtaylor/huma/v2"

	"gatehouse"
	"gatehouse/control/governance/gate"
)

// namesEnvironment refuses a question about an environment that there is not and
// never was: the empty answer would pass for a true one. What an environment had
// that is gone may be asked.
func (s *Server) namesEnvironment(ctx huma.Context) error {
	name := ctx.Query("environment")
	if name == "" {
		return nil
	}
	for _, err := range s.DB.History(ctx.Context(), gatehouse.Key(gatehouse.KindEnvironment, "", name)) {
		return err
	}
	return gate.NoEnvironment(ctx.Context(), s.DB, name)
}
