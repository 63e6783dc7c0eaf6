package landscape

import (
	"context"
	"fmt"
	"time"

	"gatehouse/adminapi"
	"gatehouse/bench/estate"
	"gatehouse/bench/load"
)

// revoking revokes one key after the other and calls with it until it is
// refused. The time is from the answer of the management API.
func (m *measurement) revoking(ctx context.Context) error {
	probe, err := load.Dial(m.site.Traffic)
	if err != nil {
		return err
	}
	defer probe.Close()
	for n := range m.revoked {
		i := n * estate.PerTeam % m.apis
		app := fmt.Sprint("leaver-", n)
		key, err := m.subscribe(ctx, i, app)
		if err != nil {
			return err
		}
		took, err := m.revokeOne(ctx, probe, i, adminapi.OwnedRef{Team: estate.Team(i), Name: app + "-everything"}, key)
		if err != nil {
			return fmt.Errorf("key %d: %w", n, err)
		}
		m.revoke = append(m.revoke, took)
	}
	return nil
}

func (m *measurement) revokeOne(ctx context.Context, probe *load.Conn, i int, of adminapi.OwnedRef, key string) (time.Duration, error) {
	if _, err := m.until(probe, i, key, 200); err != nil {
		return 0, err
	}
	keys, err := m.api.ListKeysAll(ctx, adminapi.ListKeysRequest{OwnedRef: of})
	if err != nil {
		return 0, err
	}
	if len(keys.Body.Items) != 1 {
		return 0, fmt.Errorf("the subscription has %d keys", len(keys.Body.Items))
	}
	if _, err := m.api.RevokeKey(ctx, adminapi.RevokeKeyRequest{OwnedRef: of, Key: keys.Body.Items[0].ID}); err != nil {
		return 0, err
	}
	return m.until(probe, i, key, 401)
}

// until calls with the key until the status is as wanted, and tells how long
// that took.
func (m *measurement) until(probe *load.Conn, i int, key string, status int) (time.Duration, error) {
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		a, err := probe.Get(estate.Path(i)+"/orders", key, "")
		if err != nil {
			return 0, err
		}
		switch took := time.Since(begin); {
		case a.Status == status:
			return took, nil
		case took > 30*time.Second:
			return 0, fmt.Errorf("still status %d after %v", a.Status, took)
		}
	}
}
