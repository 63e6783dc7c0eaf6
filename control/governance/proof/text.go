package proof

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"gatehouse"
	"gatehouse/control/governance/framework"
	"gatehouse/pack"
	"gatehouse/store"
)

// texts are what every version said, with its documents, decisions and comments.
func (k *Pack) texts(ctx context.Context) error {
	rulesets := map[string]bool{}
	for _, version := range slices.Sorted(maps.Keys(k.state.Versions)) {
		on := k.state.Versions[version]
		if on.Hash == "" {
			continue
		}
		rec, err := k.Trail.DB.Get(ctx, string(gatehouse.KindFrameworkText)+"/"+on.Hash)
		if err != nil {
			return err
		}
		if err := k.w.Put(pack.TextDir+version+".json", rec.Value); err != nil {
			return err
		}
		t, err := framework.TextOf(rec)
		if err != nil {
			return err
		}
		for _, hash := range t.Files {
			rulesets[hash] = true
		}
		for ending, hash := range map[string]string{".md": on.Document, ".html": on.DocumentHTML} {
			if err := k.blob(ctx, pack.DocumentDir+version+ending, hash); err != nil {
				return err
			}
		}
	}
	for _, hash := range slices.Sorted(maps.Keys(rulesets)) {
		if err := k.blob(ctx, pack.RulesetDir+hash, hash); err != nil {
			return err
		}
	}
	if err := k.decisions(ctx); err != nil {
		return err
	}
	return records(k, ctx, pack.CommentsFile, store.Query{Kind: string(framework.KindComment), Prefix: string(framework.KindComment) + "/" + k.framework + "@"}, func(*framework.Comment) bool { return true })
}

// blob adds a file by its hash; "" adds none.
func (k *Pack) blob(ctx context.Context, name, hash string) error {
	if hash == "" {
		return nil
	}
	data, err := k.bytes(ctx, hash)
	if err != nil {
		return err
	}
	return k.w.Put(name, data)
}

func (k *Pack) bytes(ctx context.Context, hash string) ([]byte, error) {
	rec, err := k.Trail.DB.Get(ctx, "Blob/"+hash)
	if err != nil {
		return nil, err
	}
	var data []byte
	if err := json.Unmarshal(rec.Value, &data); err != nil {
		return nil, gatehouse.E(gatehouse.Internal, "reading %q: %w", rec.Key, err)
	}
	return data, nil
}

func (k *Pack) decisions(ctx context.Context) error {
	q := store.Query{Kind: string(gatehouse.KindDecision), Prefix: string(gatehouse.KindDecision) + "/Framework " + k.framework + "@"}
	return records(k, ctx, pack.DecisionsFile, q, func(d *gatehouse.Decision) bool {
		k.track(k.evidence, d.Evidence...)
		k.track(k.objects, "Decision "+d.Subject)
		return true
	})
}
