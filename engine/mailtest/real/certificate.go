//go:build linux

package real

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"

	"postbag/engine/mailtest"
)

// makeCertificate writes ca.pem, cert.pem and key.pem into dir: an authority of
// its own and a certificate for 127.0.0.1, localhost and the given names.
func makeCertificate(dir string, names ...string) error {
	cert, roots, err := mailtest.NewCertificate(mailtest.CertificateOptions{Hosts: append([]string{"localhost", "127.0.0.1"}, names...)})
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	leaf := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "ca.pem"), roots, 0o644),
		os.WriteFile(filepath.Join(dir, "cert.pem"), leaf, 0o644),
		os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600),
	)
}
