package notify

import (
	"context"
	"time"

	"postbag/engine/store"
)

// noteKey is where an alert of the store keeps the state of this package.
const noteKey = "notify"

// AlertStore is what a StoreLedger needs of the store; *store.Store has it.
type AlertStore interface {
	Alerts(ctx context.Context) ([]store.Alert, error)
	UpdateAlert(ctx context.Context, cause string, change func(*store.Alert)) error
}

// StoreLedger keeps what was told in the store, beside the mail.
type StoreLedger struct {
	store AlertStore
	now   func() time.Time
}

var (
	_ Ledger     = (*StoreLedger)(nil)
	_ AlertStore = (*store.Store)(nil)
)

// NewStoreLedger returns a Ledger on top of the store.
func NewStoreLedger(s AlertStore, now func() time.Time) *StoreLedger {
	return &StoreLedger{store: s, now: now}
}

// LoadAlerts returns every cause that this package wrote.
func (l *StoreLedger) LoadAlerts(ctx context.Context) (map[string]string, error) {
	alerts, err := l.store.Alerts(ctx)
	if err != nil {
		return nil, err
	}
	states := make(map[string]string, len(alerts))
	for _, a := range alerts {
		if state := a.Notes[noteKey]; state != "" {
			states[a.Cause] = state
		}
	}
	return states, nil
}

// SaveAlert keeps one cause, durably when it returns.
func (l *StoreLedger) SaveAlert(ctx context.Context, cause, state string) error {
	now := l.now()
	return l.store.UpdateAlert(ctx, cause, func(a *store.Alert) {
		if state == "" {
			*a = store.Alert{Cause: cause} // without a First the store removes it
			return
		}
		if a.First.IsZero() {
			a.First = now
		}
		a.Last = now
		if a.Notes == nil {
			a.Notes = make(map[string]string)
		}
		a.Notes[noteKey] = state
	})
}
