//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// proxy stands for distance: every octet arrives half a round trip later, in
// both directions, however much is under way. What is sent together arrives
// together, so that pipelining keeps its use.
type proxy struct {
	listener net.Listener
	to       string
	half     time.Duration

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func newProxy(to int, roundTrip time.Duration) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the proxy cannot listen: %w", err)
	}
	p := &proxy{listener: l, to: fmt.Sprintf("127.0.0.1:%d", to), half: roundTrip / 2}
	p.wg.Go(p.accept)
	return p, nil
}

func (p *proxy) port() int { return p.listener.Addr().(*net.TCPAddr).Port }

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.keep(c)
		p.wg.Go(func() { p.connect(c) })
	}
}

func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
}

// connect lets the handshake of TCP take its time: the server hears of the
// client after one round trip and a half.
func (p *proxy) connect(client net.Conn) {
	<-time.After(3 * p.half)
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		_ = client.Close()
		return
	}
	p.keep(server)
	p.wg.Go(func() { p.carry(client, server) })
	p.carry(server, client)
}

// packet is what was read at once and when it is to arrive.
type packet struct {
	data []byte
	due  time.Time
	err  error
}

// carry takes octets from one side to the other, half a round trip later.
func (p *proxy) carry(from, to net.Conn) {
	line := make(chan packet, 1<<16)
	p.wg.Go(func() {
		for {
			buf := make([]byte, 16<<10)
			n, err := from.Read(buf)
			line <- packet{data: buf[:n], due: time.Now().Add(p.half), err: err}
			if err != nil {
				return
			}
		}
	})
	for pk := range line {
		if wait := time.Until(pk.due); wait > 0 {
			<-time.After(wait)
		}
		if len(pk.data) > 0 {
			if _, err := to.Write(pk.data); err != nil {
				_ = from.Close()
				drain(line)
				return
			}
		}
		if pk.err != nil {
			if t, ok := to.(*net.TCPConn); ok && pk.err == io.EOF {
				_ = t.CloseWrite()
			} else {
				_ = to.Close()
			}
			return
		}
	}
}

// drain lets the reader end.
func drain(line <-chan packet) {
	for pk := range line {
		if pk.err != nil {
			return
		}
	}
}
