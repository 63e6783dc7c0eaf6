package client

import (
	"context"
	"io"

	"gatehouse/adminapi"
)

// GetEvidencePack carries out gate.evidence: it writes the pack to w as it
// comes, and fails when it breaks off.
func (c *Client) GetEvidencePack(ctx context.Context, in adminapi.EvidencePackRequest, w io.Writer) error {
	resp, err := c.send(ctx, adminapi.GetEvidencePack.Operation, &in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}
