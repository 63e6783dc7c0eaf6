package compile_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"gatehouse"
	"gatehouse/control/compile"
	"gatehouse/store"
	"gatehouse/store/memory"
)

// TestIncrementalEqualsScratch writes random batches and demands that the State
// that took them one by one, the one that took several at once, and the one
// that read the store at the end hold the same chunks.
func TestIncrementalEqualsScratch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		db := memory.New()
		one, some := compile.New(db), compile.New(db)
		follow := func(s *compile.State) {
			changes, upTo, err := db.Changes(t.Context(), s.Seq(), 1<<20)
			if err == nil {
				_, err = s.Apply(t.Context(), changes, upTo)
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 30).Draw(rt, "batches") {
			seen := map[string]bool{}
			var writes []store.Write
			for range rapid.IntRange(1, 6).Draw(rt, "writes") {
				w := randomWrite(rt)
				if !seen[w.Key] {
					seen[w.Key] = true
					writes = append(writes, w)
				}
			}
			write(t, db, writes)
			follow(one)
			if rapid.Bool().Draw(rt, "look") { // a view is made of the one before
				render(t, one)
			}
			if rapid.Bool().Draw(rt, "follow") {
				follow(some)
			}
		}
		follow(some)
		scratch := compile.New(db)
		if err := scratch.Load(t.Context()); err != nil {
			rt.Fatal(err)
		}
		want := render(t, scratch)
		if got := render(t, one); got != want {
			rt.Fatalf("one by one:\n%s\nfrom scratch:\n%s", got, want)
		}
		if got := render(t, some); got != want {
			rt.Fatalf("several at once:\n%s\nfrom scratch:\n%s", got, want)
		}
	})
}

// randomWrite writes or deletes one of a few records that hang together.
func randomWrite(rt *rapid.T) store.Write {
	pick := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(rt, label) }
	env, team, name := pick("env", "dev", "prod"), pick("team", "a", "b"), pick("name", "x", "y")
	hash, version := pick("hash", "1", "2"), pick("version", "v1", "v2")
	kind := pick("kind", "Environment", "Framework", "PolicySet", "Backend", "Product", "Application", "Subscription", "Key", "Release", "Revision", "Release", "Revision", "Backend", "Attestation", "Attestation", "FrameworkState")
	doc := func(key, spec string) (string, string) { return key, `{"object":{"spec":` + spec + `}}` }
	var key, value string
	switch kind {
	case "Environment":
		key, value = doc(kind+"/"+env, fmt.Sprintf(`{"stage":%q,"gate":%s,"policies":[%s]}`, pick("stage", "dev", "prod"), pick("gate", `{}`, `{"mode":"report"}`, `{"mode":"off"}`), pick("policies", `{"cors":{}}`, `{"policy-set":"a/x"}`, `{"policy-set":"b/y"}`)))
	case "Framework":
		key, value = doc(kind+"/f", fmt.Sprintf(`{"versions":[{"name":"1","state":%q,"policies":[{"stages":["prod"],"policies":[{"policy-set":"a/x"}]}]}]}`, pick("state", "in-force", "draft")))
	case "PolicySet":
		key, value = doc(kind+"/"+team+"/"+name, fmt.Sprintf(`{"policies":[{%q:{}}]}`, pick("policy", "headers", "timeout", "mock")))
	case "Backend":
		key, value = doc(kind+"/"+team+"/"+name, fmt.Sprintf(`{"environments":{%q:{"targets":[{"url":"http://127.0.0.1:%s"}]}}}`, env, hash))
	case "Product":
		key, value = doc(kind+"/"+team+"/"+name, fmt.Sprintf(`{"apis":[%q,"a/y@v2"],"plans":[{"name":"p","policies":[{"policy-set":"a/x"}]}]}`, pick("api", "x", "b/x", "a/x@v1")))
	case "Application":
		key, value = doc(kind+"/"+team+"/"+name, fmt.Sprintf(`{"clients":[{"issuer":"i","clientId":%q}]}`, hash))
	case "Subscription":
		key = kind + "/" + team + "/" + name
		value = fmt.Sprintf(`{"object":{"spec":{"application":%q,"product":"a/x","plan":"p","environment":%q}},"status":{"state":%q}}`, pick("app", "x", "y"), env, pick("state", "approved", "approved", "suspended"))
	case "Key":
		sum := sha256.Sum256([]byte(hash + name))
		k := gatehouse.KeyRecord{ID: "key_" + name + hash, Subscription: team + "/" + name, Hash: base64.RawURLEncoding.EncodeToString(sum[:]), Tail: "3JpFH3"}
		if rapid.Bool().Draw(rt, "made before tails were kept") {
			k.Tail = ""
		}
		if rapid.Bool().Draw(rt, "revoked") {
			k.Revoked = time.Unix(1, 0)
		}
		v, err := json.Marshal(k)
		if err != nil {
			rt.Fatal(err)
		}
		key, value = "Key/"+k.ID, string(v)
	case "Attestation":
		key = kind + "/" + env + "/" + team + "/" + name + "/" + version + "/" + hash
		value = fmt.Sprintf(`{"statement":{"format":"gatehouse/attestation/1","environment":%q,"revision":%q,"framework":"f","frameworkVersion":"1"},"keyId":"k"%s}`, env, hash, pick("taken back", "", `,"revoked":"2026-01-01T00:00:00Z"`))
	case "FrameworkState":
		key, value = kind+"/"+pick("framework", "f", "g"), fmt.Sprintf(`{"inForce":%q,"versions":{"1":{"state":%q}}%s}`, pick("version in force", "1", "2", ""), pick("state of version", "in-force", "withdrawn"), pick("governed", "", `,"governed":"2026-01-01T00:00:00Z"`))
	case "Release":
		key, value = kind+"/"+env+"/"+team+"/"+name+"/"+version, fmt.Sprintf(`{"revision":%q%s}`, pick("revision", "1", "2", ""),
			pick("canary", "", `,"canary":{"revision":"1","steps":[5,25]}`, `,"canary":{"revision":"2","steps":[5,25],"step":1}`))
	case "Revision":
		// Immutable: the value is a function of the key, and none is deleted.
		key = kind + "/" + team + "/" + name + "/" + version + "/" + hash
		deprecated := ""
		if version == "v1" {
			deprecated = `,"lifecycle":"deprecated","deprecation":{"successor":"v2"}`
		}
		data := ""
		if hash == "2" && name == "x" {
			data = `,"data":{"jurisdictions":["EU"]}`
		}
		value = fmt.Sprintf(`{"hash":%q,"form":{"team":%q%s,"name":%q,"framework":"f","version":{"name":%q,"path":"/%s/%s","backend":%q%s}}}`, hash, team, data, name, version, name, hash, name, deprecated)
		return store.Write{Key: key, Kind: kind, Value: []byte(value), Expect: store.Any}
	}
	if rapid.IntRange(0, 4).Draw(rt, "delete") == 0 {
		return store.Write{Key: key, Kind: kind, Expect: store.Any}
	}
	return store.Write{Key: key, Kind: kind, Value: []byte(value), Expect: store.Any}
}
