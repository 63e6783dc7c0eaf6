package fleet

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"gatehouse"
	"gatehouse/control/audit"
	"gatehouse/jsonx"
	"gatehouse/link"
	"gatehouse/store"
)

const (
	// certificateLife is how long a gateway's certificate holds; it is
	// renewed when two thirds are over, counted from where it is backdated to,
	// so a control plane may be away for three days without an instance falling
	// out.
	certificateLife = 7 * 24 * time.Hour
	// DefaultTokenLife and MaxTokenLife bound how long a join token is good.
	DefaultTokenLife = time.Hour
	MaxTokenLife     = 30 * 24 * time.Hour
)

// CreateJoinToken makes a token with which one instance may join the gateway,
// once, until ttl is over (0 is [DefaultTokenLife]). Its text is in the first
// result and nowhere else.
func (f *Fleet) CreateJoinToken(ctx context.Context, gateway string, ttl time.Duration) (string, *gatehouse.GatewayToken, error) {
	if ttl == 0 {
		ttl = DefaultTokenLife
	}
	if ttl < 0 || ttl > MaxTokenLife {
		return "", nil, gatehouse.E(gatehouse.Invalid, "creating a join token: it may be good for at most %s, not %s", jsonx.Duration(MaxTokenLife), ttl)
	}
	if _, err := f.DB.Get(ctx, gatehouse.Key(gatehouse.KindGateway, "", gateway)); err != nil {
		if gatehouse.Is(err, gatehouse.NotFound) {
			return "", nil, gatehouse.E(gatehouse.NotFound, "creating a join token: there is no gateway %q", gateway)
		}
		return "", nil, err
	}
	t, now := link.NewToken(f.installation.authority.Raw), f.Now().UTC().Truncate(time.Microsecond)
	rec := &gatehouse.GatewayToken{ID: t.PublicID(), Gateway: gateway, Hash: t.Hash(), Created: now, CreatedBy: audit.From(ctx).Actor, Expires: now.Add(ttl)}
	err := f.put(ctx, "gateway-token.create", tokenKey(rec.ID), store.Absent, gatehouse.KindGatewayToken, nil, rec)
	if err != nil {
		return "", nil, gatehouse.E(gatehouse.KindOf(err), "creating a join token: %w", err)
	}
	return t.String(), rec, nil
}

// JoinTokens lists a gateway's tokens, without their hashes.
func (f *Fleet) JoinTokens(ctx context.Context, gateway string, limit int, after string) (tokens []gatehouse.GatewayToken, next string, err error) {
	page, err := f.DB.List(ctx, store.Query{Kind: string(gatehouse.KindGatewayToken), Where: map[string]string{"gateway": gateway}, Limit: limit, After: after})
	if err != nil {
		return nil, "", gatehouse.E(gatehouse.KindOf(err), "listing join tokens: %w", err)
	}
	out := make([]gatehouse.GatewayToken, 0, len(page.Records))
	for i := range page.Records {
		var t gatehouse.GatewayToken
		if err := json.Unmarshal(page.Records[i].Value, &t); err != nil {
			return nil, "", gatehouse.E(gatehouse.Internal, "reading %q: %w", page.Records[i].Key, err)
		}
		t.Hash = ""
		out = append(out, t)
	}
	return out, page.Next, nil
}

// RevokeJoinToken ends a token that was not used.
func (f *Fleet) RevokeJoinToken(ctx context.Context, gateway, id string) error {
	rec, err := f.DB.Get(ctx, tokenKey(id))
	var t gatehouse.GatewayToken
	if err == nil {
		err = json.Unmarshal(rec.Value, &t)
	}
	if gatehouse.Is(err, gatehouse.NotFound) || err == nil && t.Gateway != gateway {
		return gatehouse.E(gatehouse.NotFound, "revoking a join token: gateway %q has no token %q", gateway, id)
	}
	if err != nil {
		return err
	}
	before, err := shown(&t)
	if err == nil {
		_, err = f.Trail.Commit(ctx, audit.Act{
			Action: "gateway-token.revoke", Object: "Gateway " + gateway, Before: before,
			Writes: []store.Write{{Key: rec.Key, Kind: rec.Kind, Expect: rec.Rev}},
		})
	}
	return err
}

func tokenKey(id string) string { return string(gatehouse.KindGatewayToken) + "/" + id }

func instanceKey(gateway, instance string) string {
	return string(gatehouse.KindInstance) + "/" + gateway + "/" + instance
}

var instanceForm = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$`)

// Join exchanges a token for the first certificate of an instance. Every use
// of a token, good or not, is on record; of the bad ones no more than of others
// who have proved nothing, for anybody can write what looks like a token.
func (f *Fleet) Join(ctx context.Context, address string, j *link.Join) (*link.Welcome, error) {
	t, err := link.ParseToken(j.Token)
	if err != nil {
		return nil, link.Errorf(401, "joining: %v", err)
	}
	ctx = audit.WithRequest(ctx, audit.Request{Actor: "gateway:?/" + cut(j.Instance), Authentication: "token:" + t.PublicID(), Address: address})
	welcome, err := f.join(ctx, address, t, j)
	if refusal := link.StatusOf(err); refusal != 0 {
		if err := f.Strangers.Record(ctx, "gateway.join", "GatewayToken "+t.PublicID(), "", gatehouse.Refused, err); err != nil {
			return nil, err
		}
	}
	return welcome, err
}

func cut(s string) string { return fmt.Sprintf("%.63s", s) }

func (f *Fleet) join(ctx context.Context, address string, t *link.Token, j *link.Join) (*link.Welcome, error) {
	if !instanceForm.MatchString(j.Instance) {
		return nil, link.Errorf(400, "joining: instance %.80q is not a name: lower-case letters, digits, \"-\" and \".\", at most 63", j.Instance)
	}
	rec, err := f.DB.Get(ctx, tokenKey(t.PublicID()))
	if gatehouse.Is(err, gatehouse.NotFound) {
		return nil, link.Errorf(401, "joining: the token is not known here")
	}
	if err != nil {
		return nil, unavailable(err)
	}
	var before gatehouse.GatewayToken
	if err := json.Unmarshal(rec.Value, &before); err != nil {
		return nil, err
	}
	now := f.Now().UTC().Truncate(time.Microsecond)
	switch {
	case subtle.ConstantTimeCompare([]byte(before.Hash), []byte(t.Hash())) != 1:
		return nil, link.Errorf(401, "joining: the token is not known here")
	case !before.Used.IsZero() && !repeats(&before, j):
		return nil, link.Errorf(401, "joining: the token was used on %s; each lets one instance join", before.Used.Format(time.RFC3339))
	case now.After(before.Expires):
		return nil, link.Errorf(401, "joining: the token expired on %s", before.Expires.Format(time.RFC3339))
	}
	spec, err := f.gateway(ctx, before.Gateway)
	if err != nil {
		return nil, err
	}
	ctx = audit.WithRequest(ctx, audit.Request{Actor: "gateway:" + before.Gateway + "/" + j.Instance, Authentication: "token:" + before.ID, Address: address})
	cert, err := f.installation.certify(j.Request, before.Gateway, j.Instance, now)
	if err != nil {
		return nil, err
	}
	old, at, err := f.instance(ctx, before.Gateway, j.Instance)
	if err != nil {
		return nil, unavailable(err)
	}
	if !before.Used.IsZero() && (old == nil || !old.Revoked.IsZero() || !old.Joined.Equal(before.Used)) {
		return nil, link.Errorf(401, "joining: the instance that the token let in was shut out, or has joined again since")
	}
	used := before
	used.Used, used.UsedBy, used.UsedFor = now, j.Instance, keyOf(j.Request)
	next := &gatehouse.Instance{Gateway: before.Gateway, Instance: j.Instance, Certificate: cert.SerialNumber.Text(16), Joined: now, Expires: cert.NotAfter}
	if old != nil {
		next.Ack = old.Ack
	}
	act, err := f.act("gateway.join", instanceKey(next.Gateway, next.Instance), at, gatehouse.KindInstance, old, next)
	if err != nil {
		return nil, err
	}
	value, err := jsonx.Marshal(used)
	if err != nil {
		return nil, err
	}
	act.Writes = append(act.Writes, store.Write{Key: rec.Key, Kind: string(gatehouse.KindGatewayToken), Value: value, Expect: rec.Rev, Index: map[string]string{"gateway": used.Gateway}})
	if _, err := f.Trail.Commit(ctx, act); err != nil {
		if gatehouse.Is(err, gatehouse.Conflict) {
			return nil, link.Errorf(401, "joining: the token is being used by another instance")
		}
		return nil, unavailable(err)
	}
	return f.welcome(next, spec, cert.Raw), nil
}

// repeats tells whether a used token comes again from the instance that used it:
// it never had the answer, or could not keep it. The key proves that it is the
// same one.
func repeats(t *gatehouse.GatewayToken, j *link.Join) bool {
	return t.UsedFor != "" && t.UsedBy == j.Instance && t.UsedFor == keyOf(j.Request)
}

// keyOf tells the key of a certificate request, "" when it cannot be read.
func keyOf(request []byte) string {
	r, err := x509.ParseCertificateRequest(request)
	if err != nil || r.CheckSignature() != nil {
		return ""
	}
	sum := sha256.Sum256(r.RawSubjectPublicKeyInfo)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (f *Fleet) welcome(i *gatehouse.Instance, spec *gatehouse.Gateway, cert []byte) *link.Welcome {
	return &link.Welcome{
		Installation: f.installation.id, Gateway: i.Gateway, Environment: spec.Environment, Instance: i.Instance,
		Certificate: cert, Authority: f.installation.authority.Raw, Keys: f.installation.keys(),
	}
}

// Renew gives an instance its next certificate. The one it asks with stays good
// until it renews again: the answer may be lost on its way.
func (f *Fleet) Renew(ctx context.Context, p link.Peer, r *link.Renewal) (*link.Welcome, error) {
	spec, err := f.gateway(ctx, p.Gateway)
	if err != nil {
		return nil, err
	}
	now := f.Now().UTC().Truncate(time.Microsecond)
	cert, err := f.installation.certify(r.Request, p.Gateway, p.Instance, now)
	if err != nil {
		return nil, err
	}
	old, at, err := f.instance(ctx, p.Gateway, p.Instance)
	if err != nil {
		return nil, unavailable(err)
	}
	if old == nil || !old.Revoked.IsZero() {
		return nil, errRevoked(p)
	}
	next := *old
	next.Former = p.Certificate
	next.Certificate, next.Expires = cert.SerialNumber.Text(16), cert.NotAfter
	ctx = audit.WithRequest(ctx, request(p))
	if err := f.put(ctx, "gateway.renew", instanceKey(p.Gateway, p.Instance), at, gatehouse.KindInstance, old, &next); err != nil {
		return nil, unavailable(err)
	}
	return f.welcome(&next, spec, cert.Raw), nil
}

func request(p link.Peer) audit.Request {
	return audit.Request{Actor: "gateway:" + p.Gateway + "/" + p.Instance, Authentication: "certificate:" + p.Certificate, Address: p.Address}
}

func errRevoked(p link.Peer) error {
	return link.Errorf(401, "instance %q of gateway %q is shut out; it joins again with a new token", p.Instance, p.Gateway)
}

// unavailable tells a peer to come again when the database cannot serve now.
func unavailable(err error) error {
	if k := gatehouse.KindOf(err); k == gatehouse.Unavailable || k == gatehouse.Full || k == gatehouse.Conflict {
		return link.Errorf(503, "the control plane cannot write or read now; try again")
	}
	return err
}
