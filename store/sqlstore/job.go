package sqlstore

import (
	"context"
	"time"

	"gatehouse/store"
)

const jobColumns = `id, queue, grp, state, due, created, value, rev`

func scanJob(scan func(...any) error) (j store.Job, err error) {
	var due, created int64
	err = scan(&j.ID, &j.Queue, &j.Group, &j.State, &due, &created, &j.Value, &j.Rev)
	j.Created = time.UnixMicro(created).UTC()
	if due > 0 {
		j.Due = time.UnixMicro(due).UTC()
	}
	return j, err
}

// due is the column: 0 for a job that rests.
func due(j *store.Job) int64 {
	if j.Due.IsZero() {
		return 0
	}
	return max(j.Due.UnixMicro(), 1)
}

// jobs makes new jobs and changes others, or refuses the batch.
func (w *writing) jobs() error {
	var made []any
	var ids []any
	for i := range w.batch.Jobs {
		j := &w.batch.Jobs[i]
		if j.Rev == 0 {
			ids = append(ids, j.ID)
			made = append(made, j.ID, j.Queue, j.Group, j.State, due(j), j.Created.UnixMicro(), j.Value, int64(1))
			continue
		}
		done, err := changeJob(w.ctx, w.conn, j)
		if err == nil && !done {
			err = j.Moved()
		}
		if err != nil {
			return err
		}
	}
	for _, s := range among(`SELECT id FROM job WHERE id IN (?)`, ids) {
		there := ""
		err := w.conn.Query(w.ctx, s, func(scan func(...any) error) error { return scan(&there) })
		if err == nil && there != "" {
			err = (&store.Job{ID: there}).Moved()
		}
		if err != nil {
			return err
		}
	}
	w.do(insert(`INSERT INTO job(`+jobColumns+`)`, "", 8, made)...)
	return nil
}

// changeJob writes a job if it is at the Rev it names.
func changeJob(ctx context.Context, c Conn, j *store.Job) (done bool, err error) {
	s := Statement{`UPDATE job SET queue = $1, grp = $2, state = $3, due = $4, created = $5, value = $6, rev = rev + 1 WHERE id = $7 AND rev = $8 RETURNING rev`,
		[]any{j.Queue, j.Group, j.State, due(j), j.Created.UnixMicro(), j.Value, j.ID, j.Rev}}
	err = c.Query(ctx, s, func(scan func(...any) error) error {
		done = true
		var rev int64
		return scan(&rev)
	})
	return done, err
}

// SetJobs implements store.DB.
func (d *DB) SetJobs(ctx context.Context, jobs ...store.Job) ([]store.Job, error) {
	if err := store.CheckJobs(jobs); err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		return nil, nil
	}
	var out []store.Job
	err := d.engine.Write(ctx, func(c Conn) (store.Seq, error) {
		out = out[:0]
		for _, j := range jobs {
			if j.Rev == 0 {
				continue
			}
			done, err := changeJob(ctx, c, &j)
			if err != nil {
				return 0, err
			}
			if done {
				j.Rev++
				out = append(out, j)
			}
		}
		return 0, nil
	})
	if err != nil {
		return nil, d.fail("writing jobs", err)
	}
	return out, nil
}

// Jobs implements store.DB.
func (d *DB) Jobs(ctx context.Context, q store.JobQuery) (out []store.Job, err error) {
	var b builder
	b.add(`SELECT ` + jobColumns + ` FROM job WHERE true`)
	for _, f := range []struct{ column, value string }{{"id", q.ID}, {"queue", q.Queue}, {"grp", q.Group}, {"state", q.State}} {
		if f.value != "" {
			b.add(` AND `+f.column+` = ?`, store.Column(f.value))
		}
	}
	if q.After.ID != "" {
		at := q.After.Created.UnixMicro()
		b.add(` AND (created < ? OR created = ? AND id < ?)`, at, at, store.Column(q.After.ID))
	}
	order := ` ORDER BY created DESC, id DESC`
	if !q.Due.IsZero() {
		b.add(` AND due > 0 AND due <= ?`, q.Due.UnixMicro())
		order = ` ORDER BY due, id`
	}
	b.add(order)
	if q.Limit > 0 {
		b.add(` LIMIT ?`, int64(q.Limit))
	}
	err = d.query(ctx, "listing jobs", b.statement(), func(scan func(...any) error) error {
		j, err := scanJob(scan)
		out = append(out, j)
		return err
	})
	return out, err
}

// JobQueues implements store.DB.
func (d *DB) JobQueues(ctx context.Context) (out []store.JobQueue, err error) {
	s := Statement{SQL: `SELECT queue, count(*), MIN(due) FROM job WHERE due > 0 GROUP BY queue ORDER BY queue`}
	err = d.query(ctx, "listing queues of jobs", s, func(scan func(...any) error) error {
		var q store.JobQueue
		var next int64
		err := scan(&q.Queue, &q.Waiting, &next)
		q.Next = time.UnixMicro(next).UTC()
		out = append(out, q)
		return err
	})
	return out, err
}

// DropJobs implements store.DB.
func (d *DB) DropJobs(ctx context.Context, drop store.JobDrop) (n int64, err error) {
	which := Statement{`SELECT id FROM job WHERE due = 0 AND created < $1 ORDER BY created LIMIT $2`, []any{drop.Before.UnixMicro(), int64(drop.Limit)}}
	n, err = d.drop(ctx, which)
	if err != nil || drop.Keep == 0 || n >= int64(drop.Limit) {
		return n, err
	}
	which = Statement{`SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY queue ORDER BY created DESC, id DESC) AS place FROM job WHERE due = 0) AS resting
		WHERE place > $1 LIMIT $2`, []any{int64(drop.Keep), int64(drop.Limit) - n}}
	more, err := d.drop(ctx, which)
	return n + more, err
}

// drop deletes the resting jobs that a statement names.
func (d *DB) drop(ctx context.Context, which Statement) (n int64, err error) {
	var ids []any
	err = d.query(ctx, "looking for jobs to drop", which, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = d.engine.Write(ctx, func(c Conn) (store.Seq, error) {
		n = 0
		for _, s := range among(`DELETE FROM job WHERE due = 0 AND id IN (?) RETURNING id`, ids) {
			err := c.Query(ctx, s, func(scan func(...any) error) error {
				n++
				var id string
				return scan(&id)
			})
			if err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	return n, d.fail("dropping jobs", err)
}
