package gatehouse

import "time"

// A Subscription lets an application use a product under a plan in one
// environment. The state it is in is a [SubscriptionStatus].
type Subscription struct {
	Application string `json:"application"` // of the same team, by name
	Product     string `json:"product"`     // "payments/commerce"
	Plan        string `json:"plan"`
	Environment string `json:"environment"`
}

// States of a subscription.
const (
	Requested = "requested"
	Approved  = "approved"
	Rejected  = "rejected"
	Suspended = "suspended"
	Expired   = "expired"
	Cancelled = "cancelled"
)

// SubscriptionStatus is the server's part of a subscription.
type SubscriptionStatus struct {
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	By      string    `json:"by,omitempty"` // who decided last; "plan" for automatic
	AskedBy string    `json:"askedBy,omitempty"`
	Reason  string    `json:"reason,omitempty"` // why, for the record
	Expires time.Time `json:"expires,omitzero"`
}

// Over reports whether the state is an end.
func (s SubscriptionStatus) Over() bool {
	return s.State == Rejected || s.State == Expired || s.State == Cancelled
}

// A KeyRecord is a key as the control plane keeps it, under "Key/<id>": never
// the key itself.
type KeyRecord struct {
	// ID is public: "key_" and 12 characters of the hash, to list and revoke by.
	ID           string `json:"id"`
	Subscription string `json:"subscription"` // "billing/invoices-commerce"
	Environment  string `json:"environment"`
	Hash         string `json:"hash"` // SHA-256 of the key, base64url
	// Tail is how the key ends, its checksum: gateways begin to look for a key by
	// it. Keys of before have none.
	Tail      string    `json:"tail,omitempty"`
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"createdBy"`
	Expires   time.Time `json:"expires,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
	RevokedBy string    `json:"revokedBy,omitempty"`
}

// Check reports what is wrong with the subscription alone.
func (s *Subscription) Check(c *Checker) {
	fields := []struct{ field, value string }{
		{"application", s.Application}, {"product", s.Product}, {"plan", s.Plan}, {"environment", s.Environment},
	}
	for i, f := range fields {
		switch {
		case f.value == "":
			c.Errorf("%s is missing", f.field)
		case i < 2:
			c.At(f.field).Reference(f.value)
		default:
			c.At(f.field).Name(f.value)
		}
	}
}
