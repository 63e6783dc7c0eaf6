package proof

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/control/compile"
	"gatehouse/pack"
	"gatehouse/policy"
	"gatehouse/store"
)

// A chain is what runs for an API version in an environment, as one line.
type chain struct {
	Environment string       `json:"environment"`
	API         string       `json:"api"` // "payments/orders@v1"
	Revision    string       `json:"revision,omitempty"`
	Operation   string       `json:"operation,omitempty"` // "" is what all have in common
	Method      string       `json:"method,omitempty"`
	Path        string       `json:"path,omitempty"`
	Access      string       `json:"access,omitempty"`
	Steps       []policy.Use `json:"steps,omitempty"`
	Reason      string       `json:"reason,omitempty"` // why nothing runs
}

// policies are what gateways run for every API version that was judged: the
// version's chain, and those of operations that have more.
func (k *Pack) policies(ctx context.Context) error {
	if _, err := k.w.Create(pack.PoliciesFile); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(k.versions)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		environment, api, _ := strings.Cut(id, " ")
		x, err := k.Explain.Explain(api, environment, "", "")
		if err != nil {
			if err := k.w.Line(chain{Environment: environment, API: api, Reason: err.Error()}); err != nil {
				return err
			}
			continue
		}
		if err := k.w.Line(line(environment, x)); err != nil {
			return err
		}
		for _, operation := range k.operations(ctx, api, x.Revision) {
			if x, err := k.Explain.Explain(api, environment, operation, ""); err == nil {
				if err := k.w.Line(line(environment, x)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func line(environment string, x *compile.Explanation) chain {
	return chain{environment, x.API, x.Revision, x.Operation, x.Method, x.Path, x.Access, x.Steps, ""}
}

// operations are those to which a revision attaches policies of their own.
func (k *Pack) operations(ctx context.Context, api, revision string) []string {
	name, version, _ := strings.Cut(api, "@")
	rec, err := k.Trail.DB.Get(ctx, "Revision/"+name+"/"+version+"/"+revision)
	if err != nil {
		return nil // it was removed meanwhile; its chain is there
	}
	var r gatehouse.Revision
	if unmarshal(rec, &r) != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(r.Form.Version.Operations))
}

// files are the evidence that is named, as it was brought.
func (k *Pack) files(ctx context.Context) error {
	var missing []string
	var there []string
	if _, err := k.w.Create(pack.EvidenceFile); err != nil {
		return err
	}
	for _, hash := range slices.Sorted(maps.Keys(k.evidence)) {
		about, err := k.Trail.DB.Get(ctx, string(gatehouse.KindEvidence)+"/"+hash)
		if err == nil {
			_, err = k.Trail.DB.Get(ctx, "Blob/"+hash)
		}
		if gatehouse.Is(err, gatehouse.NotFound) {
			missing = append(missing, hash)
			continue
		}
		if err != nil {
			return err
		}
		var e gatehouse.Evidence
		if err := unmarshal(about, &e); err != nil {
			return err
		}
		if err := k.w.Line(&e); err != nil {
			return err
		}
		there = append(there, hash)
		k.track(k.objects, "Evidence "+hash)
	}
	k.w.Missing = missing
	for _, hash := range there {
		if err := k.blob(ctx, pack.EvidenceDir+hash, hash); err != nil {
			return err
		}
	}
	return nil
}

// actions are the events that may belong to a pack, each noun a file.
var actions = []string{"framework", "decision", "gate", "attestation", "waiver", "evidence"}

// events are those on the objects of the pack.
func (k *Pack) events(ctx context.Context) error {
	for _, noun := range actions {
		if _, err := k.w.Create(pack.EventsDir + noun + ".jsonl"); err != nil {
			return err
		}
		for e, err := range k.Trail.DB.Events(ctx, store.EventQuery{Action: noun + ".*", Strict: true}) {
			if err != nil {
				return err
			}
			if e.Number > k.manifest.Trail.Number {
				break
			}
			if !k.belongs(e.Object) {
				continue
			}
			if err := k.w.Line(e); err != nil {
				return err
			}
		}
	}
	return nil
}

// belongs reports whether an event on an object is one of the pack's.
func (k *Pack) belongs(object string) bool {
	name, _, _ := strings.Cut(object, "#") // of an attestation, its revision
	if k.objects[name] || object == "Framework "+k.framework {
		return true
	}
	return strings.HasPrefix(object, "Framework "+k.framework+"@")
}

func (k *Pack) readme() string {
	about := "in all environments"
	if k.environment != "" {
		about = "in environment " + k.environment
	}
	return fmt.Sprintf(`Evidence pack of framework %s, %s

Made %s for %s by the Gatehouse installation %s.
It is of state %d of that installation; the last event on record then was number %d.

To verify it, with no server running:

  gatehouse gate verify FILE --key keys-you-trust.json

where the keys are those that the installation publishes at /.well-known/gatehouse-keys.json,
fetched by yourself. Without --key the keys in this pack are used: that shows that the pack is
whole, and not whose it is.

What is verified: the hash of every file and the signature over the list of hashes; that each
version's text is the one that was submitted, and that enough persons approved it who neither
wrote nor submitted it; that the approved documents are as they were; each attestation's
signature, that it is by a text in this pack, and that waivers it leans on are in it; that no
event was changed, and that neighbouring events follow each other; that every file named as
evidence is here.

  manifest.json, manifest.sig   what is in the pack, signed (Ed25519, hexadecimal)
  keys.json                     the installation's public keys
  framework/state.json          where each version stands, and how it came there
  framework/text/               each version, word for word; its SHA-256 is what was approved
  framework/document/           the description of the service, as approved
  framework/decisions.jsonl     who approved or rejected what
  framework/comments.jsonl      what was said
  gate/attestations.jsonl       what passed the gate, signed
  gate/results.jsonl            what the gate found last
  gate/waivers.jsonl            exceptions, with reason, approver and end
  gate/answers.jsonl            what persons answered, and who confirmed it
  gate/policies.jsonl           what gateways run, as of when the pack was made
  audit/                        the events that belong to all this
  evidence/                     files that prove it, by the SHA-256 of their bytes

Files ending in .jsonl have one JSON value a line. Times are UTC.
`, k.framework, about, k.manifest.Created.UTC().Format(time.RFC3339), k.manifest.By, k.manifest.Installation, k.manifest.Seq, k.manifest.Trail.Number)
}

func unmarshal(r store.Record, into any) error {
	if err := json.Unmarshal(r.Value, into); err != nil {
		return gatehouse.E(gatehouse.Internal, "reading %q: %w", r.Key, err)
	}
	return nil
}
