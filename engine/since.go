package engine

import (
	"context"
	"slices"
	"time"

	"postbag/engine/mail/header"
	"postbag/engine/source"
)

// skipOld leaves out what was sent before the day that the user chose for the
// first collection. What has no date that can be read is collected.
func (s *session) skipOld(ctx context.Context) error {
	old := make(map[int]bool)
	for _, it := range s.plan.New {
		top, err := s.top(ctx, source.Planned{Item: it})
		if err != nil {
			return err
		}
		if top != nil && isOld(header.Parse(top), s.mb.Since) {
			old[it.Number] = true
			s.plan.Skip = append(s.plan.Skip, it)
		}
	}
	s.plan.New = slices.DeleteFunc(s.plan.New, func(it source.Item) bool { return old[it.Number] })
	skipped := func(it source.Planned) bool { return old[it.Number] }
	s.plan.Fetch = slices.DeleteFunc(s.plan.Fetch, skipped)
	s.plan.TooBig = slices.DeleteFunc(s.plan.TooBig, skipped)
	return nil
}

func isOld(h header.Header, since time.Time) bool {
	when, ok := h.Date()
	return ok && when.Before(since)
}
