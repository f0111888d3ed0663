package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// queryTimeout bounds one query. What a frozen database has not taken by then is
// lost.
const queryTimeout = 5 * time.Second

func failed(what string, err error) error { return fmt.Errorf("%s: %w", what, err) }

// sender sends notifications.
type sender struct {
	pool     *pgxpool.Pool
	attached string // the query for a message with an attachment
}

func newSender(config *Config) sender {
	return sender{
		pool: config.Pool,
		attached: "WITH a AS (INSERT INTO " + quoteTable(config.TableName) + " (payload) VALUES ($1) RETURNING id) " +
			"SELECT pg_notify($2, $3::text || id || '\"}') FROM a",
	}
}

// notify sends messages on a channel in order, in as few transactions as possible,
// and returns how many were sent.
func (s sender) notify(ctx context.Context, channel, uid string, messages [][]byte) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	var refused error
	for i := 0; i < len(messages); {
		if !inline(messages[i]) {
			var answer *pgconn.PgError
			switch err := s.attach(ctx, channel, uid, messages[i]); {
			case err == nil:
				n++
			case errors.As(err, &answer): // what is behind it may pass
				refused = err
			default:
				return n, err
			}
			i++
			continue
		}
		texts := together(messages[i:])
		_, err := s.pool.Exec(ctx, "SELECT pg_notify($1, m) FROM unnest($2::text[]) AS m", channel, texts)
		if err != nil {
			return n, failed("notify", err)
		}
		n += len(texts)
		i += len(texts)
	}
	return n, refused
}

// together returns the messages from the first on that can be sent in one
// transaction: of notifications that are equal, that delivers one.
func together(messages [][]byte) []string {
	texts := make([]string, 0, len(messages))
	seen := make(map[string]struct{}, len(messages))
	for _, m := range messages {
		if !inline(m) {
			break
		}
		text := string(m)
		if _, twice := seen[text]; twice {
			break
		}
		seen[text] = struct{}{}
		texts = append(texts, text)
	}
	return texts
}

// header is the notification of a message that is in the table.
type header struct {
	UID          string      `json:"uid"`
	AttachmentID json.Number `json:"attachmentId"` // a number, or in quotes
}

// attach puts a message into the table and sends the notification about it. The
// receivers can see the row when they have that: both are one transaction.
func (s sender) attach(ctx context.Context, channel, uid string, message []byte) error {
	head := fmt.Sprintf(`{"uid":"%s","type":%d,"attachmentId":"`, uid, message[0])
	_, err := s.pool.Exec(ctx, s.attached, message[1:], channel, head)
	if err != nil {
		return failed("attachment", err)
	}
	return nil
}

// readHeader reports whether a notification is about a row of the table, and which.
func readHeader(text []byte) (h header, ok bool) {
	if !mayBeHeader(text) {
		return h, false
	}
	err := json.Unmarshal(text, &h)
	return h, err == nil && h.AttachmentID != ""
}

// mayBeHeader tells most messages from headers without decoding them.
func mayBeHeader(text []byte) bool {
	return len(text) < 512 && bytes.Contains(text, []byte(`"attachmentId"`))
}
