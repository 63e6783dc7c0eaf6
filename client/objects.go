package client

import (
	"context"
	"encoding/json"

	"gatehouse"
	"gatehouse/adminapi"
)

// Put creates or replaces the object that doc describes.
func (c *Client) Put(ctx context.Context, k gatehouse.Kind, team, name string, doc json.RawMessage, when adminapi.Conditional) (*adminapi.Object, error) {
	r := adminapi.ObjectsOf[k]
	if r.Owned != nil {
		return call(ctx, c, r.Owned.Put, &adminapi.PutOwned{OwnedRef: adminapi.OwnedRef{Team: team, Name: name}, Conditional: when, Body: doc})
	}
	return call(ctx, c, r.Org.Put, &adminapi.PutOrg{OrgRef: adminapi.OrgRef{Name: name}, Conditional: when, Body: doc})
}

// Get reads one object.
func (c *Client) Get(ctx context.Context, k gatehouse.Kind, team, name string, o adminapi.GetOptions) (*adminapi.Object, error) {
	r := adminapi.ObjectsOf[k]
	if r.Owned != nil {
		return call(ctx, c, r.Owned.Get, &adminapi.GetOwned{OwnedRef: adminapi.OwnedRef{Team: team, Name: name}, GetOptions: o})
	}
	return call(ctx, c, r.Org.Get, &adminapi.GetOrg{OrgRef: adminapi.OrgRef{Name: name}, GetOptions: o})
}

// Delete removes one object; a protected one only with yes.
func (c *Client) Delete(ctx context.Context, k gatehouse.Kind, team, name string, yes bool, force string) error {
	r := adminapi.ObjectsOf[k]
	var err error
	if r.Owned != nil {
		_, err = call(ctx, c, r.Owned.Delete, &adminapi.DeleteOwned{OwnedRef: adminapi.OwnedRef{Team: team, Name: name}, YesDelete: yes, Force: force})
	} else {
		_, err = call(ctx, c, r.Org.Delete, &adminapi.DeleteOrg{OrgRef: adminapi.OrgRef{Name: name}, YesDelete: yes, Force: force})
	}
	return err
}

// List reads one page of the objects of a kind; team "" or "-" is all teams.
func (c *Client) List(ctx context.Context, k gatehouse.Kind, team string, p adminapi.PageRequest, asOf string) (*adminapi.Objects, error) {
	r := adminapi.ObjectsOf[k]
	if r.Owned != nil {
		if team == "" {
			team = "-"
		}
		return call(ctx, c, r.Owned.List, &adminapi.ListOwned{Team: team, PageRequest: p, AsOf: asOf})
	}
	return call(ctx, c, r.Org.List, &adminapi.ListOrg{PageRequest: p, AsOf: asOf})
}

// maxPage is the longest page that any list gives.
const maxPage = 1000
