package snapshot

import "gatehouse/policy"

// A Product bundles APIs under plans.
type Product struct {
	Name  string   `json:"name"`
	APIs  []string `json:"apis"` // "payments/orders@v1", sorted
	Plans []Plan   `json:"plans"`
}

// A Plan is a product's plan as policies: what files say as rateLimit and
// quota is here in the form every policy has.
type Plan struct {
	Name     string       `json:"name"`
	Policies []policy.Use `json:"policies,omitempty"`
}
