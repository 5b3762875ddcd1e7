package mail

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

func TestEntryJSONIsThePromisedObject(t *testing.T) {
	at := time.Date(2026, 3, 1, 14, 5, 2, 999, time.FixedZone("", 3600))
	cases := map[string]struct {
		entry Entry
		want  string
	}{
		"missing values are null": {
			Entry{Time: at, ID: "K1", Mailbox: "Whole office", Size: -1, State: Waiting, AtSource: SourcePresent},
			`{"time":"2026-03-01T13:05:02Z","id":"K1","mailbox":"Whole office","uid":"","message_id":null,"from":null,"subject":null,"size":null,"state":"waiting","at_source":"present","route":"","recipients":[],"attempts":0,"next_attempt":null,"reason":null}`,
		},
		"all values": {
			Entry{Time: at, ID: "K2", Mailbox: "m", UID: "u1", MessageID: "<a@b.test>", From: "Zoé <z@b.test>", Subject: "s", Size: 12, State: Queued,
				AtSource: SourcePresent, Route: "envelope:X-Original-To", Attempts: 2, NextAttempt: at.Add(time.Minute), Reason: "451 4.3.0 later",
				Recipients: []EntryRecipient{{Address: "anne@office.test", State: Delivered, Reply: "250 ok"}, {Address: "bob@office.test", State: Queued}}},
			`{"time":"2026-03-01T13:05:02Z","id":"K2","mailbox":"m","uid":"u1","message_id":"\u003ca@b.test\u003e","from":"Zoé \u003cz@b.test\u003e","subject":"s","size":12,"state":"queued","at_source":"present","route":"envelope:X-Original-To","recipients":[{"address":"anne@office.test","state":"delivered","reply":"250 ok"},{"address":"bob@office.test","state":"queued","reply":null}],"attempts":2,"next_attempt":"2026-03-01T13:06:02Z","reason":"451 4.3.0 later"}`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(c.entry)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			var back Entry
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			want := c.entry
			want.Time = want.Time.Truncate(time.Second).UTC()
			if !want.NextAttempt.IsZero() {
				want.NextAttempt = want.NextAttempt.Truncate(time.Second).UTC()
			}
			if !reflect.DeepEqual(back, want) {
				t.Errorf("read back %+v, want %+v", back, want)
			}
		})
	}
}
