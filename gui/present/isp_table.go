package present

import "postbag/app/config"

// tls995 is what nearly all of them offer: implicit TLS (RFC 8314 section 3.2).
func tls995(name, host string, domains ...string) Provider {
	return Provider{Name: name, Host: host, Port: 995, Security: config.SecurityTLS, Domains: domains}
}

func localPart(p Provider) Provider {
	p.LocalPart = true
	return p
}

func noting(note string, p Provider) Provider {
	p.Note = note
	return p
}

// providers is the table of the wizard, by name. It is a help for typing and
// nothing else: Test shows whether the server is the right one, and every field
// can be changed. The servers are those that the providers publish in their
// help pages for POP3.
var providers = []Provider{
	tls995("1&1", "pop.1und1.de", "online.de", "onlinehome.de", "kundenserver.de", "schlund.de"),
	noting(NoteAppPassword, tls995("AOL", "pop.aol.com", "aol.com", "aol.fr", "aol.de", "aol.co.uk", "aim.com")),
	noting(NoteAppPassword, tls995("AT&T", "inbound.att.net", "att.net", "sbcglobal.net", "bellsouth.net", "pacbell.net", "ameritech.net")),
	tls995("Bluewin (Swisscom)", "pop3s.bluewin.ch", "bluewin.ch"),
	tls995("Bouygues Telecom", "pop.bbox.fr", "bbox.fr"),
	tls995("BT", "mail.btinternet.com", "btinternet.com", "btopenworld.com", "talk21.com"),
	tls995("Comcast Xfinity", "mail.comcast.net", "comcast.net"),
	tls995("Cox", "pop.cox.net", "cox.net"),
	tls995("DomainFactory", "sslin.df.eu", "df.eu"),
	tls995("EarthLink", "pop.earthlink.net", "earthlink.net", "mindspring.com"),
	noting(NoteAppPassword, tls995("Fastmail", "pop.fastmail.com", "fastmail.com", "fastmail.fm")),
	localPart(tls995("Free", "pop.free.fr", "free.fr", "freesbee.fr", "libertysurf.fr", "worldonline.fr", "online.fr")),
	tls995("Gandi", "mail.gandi.net"),
	noting(NoteSwitchOn, tls995("GMX", "pop.gmx.net", "gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.eu", "gmx.org", "gmx.info")),
	noting(NoteSwitchOn, tls995("GMX (com, fr, co.uk)", "pop.gmx.com", "gmx.com", "gmx.fr", "gmx.us", "gmx.co.uk", "gmx.es", "gmx.it")),
	tls995("GoDaddy", "pop.secureserver.net"),
	noting(NoteBoth, tls995("Google Mail", "pop.gmail.com", "gmail.com", "googlemail.com")),
	tls995("Hetzner", "mail.your-server.de", "your-server.de"),
	tls995("Host Europe", "mail.hosteurope.de"),
	tls995("Hostpoint", "mail.hostpoint.ch", "hostpoint.ch"),
	tls995("Infomaniak", "mail.infomaniak.com", "ik.me", "ikmail.com", "etik.com"),
	tls995("IONOS (DE)", "pop.ionos.de"),
	tls995("IONOS (FR)", "pop.ionos.fr"),
	tls995("IONOS (UK)", "pop.ionos.co.uk"),
	tls995("IONOS (US)", "pop.ionos.com"),
	noting(NoteSwitchOn, localPart(tls995("La Poste", "pop.laposte.net", "laposte.net"))),
	noting(NoteSwitchOn, tls995("mail.com", "pop.mail.com", "mail.com", "email.com", "usa.com", "europe.com")),
	tls995("mailbox.org", "pop3.mailbox.org", "mailbox.org"),
	noting(NoteOAuth, tls995("Microsoft Outlook.com", "outlook.office365.com", "outlook.com", "outlook.fr", "outlook.de", "hotmail.com", "hotmail.fr",
		"hotmail.de", "hotmail.co.uk", "live.com", "live.fr", "live.de", "live.co.uk", "msn.com")),
	tls995("NTL World (Virgin Media)", "pop3.ntlworld.com", "ntlworld.com"),
	tls995("one.com", "pop.one.com", "one.com"),
	tls995("Orange", "pop.orange.fr", "orange.fr", "wanadoo.fr"),
	tls995("OVHcloud", "ssl0.ovh.net"),
	tls995("Posteo", "posteo.de", "posteo.de", "posteo.net", "posteo.eu"),
	tls995("SFR", "pop.sfr.fr", "sfr.fr", "neuf.fr", "cegetel.net", "club-internet.fr", "9online.fr", "numericable.fr", "noos.fr"),
	tls995("Sky", "pop.tools.sky.com", "sky.com"),
	tls995("Spectrum (Charter)", "mail.charter.net", "charter.net", "charter.com"),
	tls995("Strato", "pop3.strato.de", "strato.de", "rzone.de"),
	noting(NoteAppPassword, tls995("T-Online (Telekom)", "securepop.t-online.de", "t-online.de", "magenta.de")),
	tls995("TalkTalk", "mail.talktalk.net", "talktalk.net", "tiscali.co.uk", "lineone.net"),
	tls995("Virgin Media", "pop3.virginmedia.com", "virginmedia.com", "blueyonder.co.uk", "virgin.net"),
	tls995("Vodafone Kabel", "pop3.kabelmail.de", "kabelmail.de"),
	noting(NoteSwitchOn, tls995("WEB.DE", "pop3.web.de", "web.de")),
	noting(NoteAppPassword, tls995("Yahoo", "pop.mail.yahoo.com", "yahoo.com", "yahoo.fr", "yahoo.de", "yahoo.co.uk", "ymail.com", "rocketmail.com")),
	noting(NoteSwitchOn, tls995("Zoho", "pop.zoho.eu", "zoho.eu")),
}
