package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"postbag/app/facts"
	"postbag/app/i18n"
)

type problemObject struct {
	Field   string `json:"field"`
	Line    *int   `json:"line"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Warning bool   `json:"warning"`
}

func (s *session) configCommand() *cobra.Command {
	config := s.command("config", s.group, -1, -1)
	validate := s.command("config.validate", s.configValidate, 0, 0)
	s.jsonFlag(validate.Flags())
	config.AddCommand(s.command("config.init", s.configInit, 0, 0), validate, s.command("config.show", s.configShow, 0, 0))
	return config
}

func (s *session) configInit(cmd *cobra.Command, _ []string) error {
	if err := s.app.Config(s.options(facts.AccessConfig)).Init(cmd.Context()); err != nil {
		return err
	}
	return s.out.put(s.p.T("config_file.written", i18n.Args{"Path": s.config, "Program": Name}))
}

func (s *session) configValidate(cmd *cobra.Command, _ []string) error {
	problems, err := s.app.Config(s.options(facts.AccessConfig)).Validate(cmd.Context())
	if err != nil {
		return err
	}
	faults := 0
	for _, p := range problems {
		if !p.Warning {
			faults++
		}
		if err := s.showProblem(p); err != nil {
			return err
		}
	}
	if faults > 0 {
		s.say(s.p.N("config_file.faults", int64(faults)))
		return outcome(exitUsage)
	}
	if s.json {
		return nil
	}
	return s.out.put(s.p.T("config_file.good", i18n.Args{"Path": s.config}))
}

func (s *session) showProblem(p facts.Problem) error {
	if !s.json {
		return s.out.put(s.problemLine(s.config, p))
	}
	out := problemObject{Field: p.Field, Code: p.Code, Message: cell(p.Message), Warning: p.Warning}
	if p.Line > 0 {
		out.Line = &p.Line
	}
	return s.out.object(out)
}

func (s *session) configShow(cmd *cobra.Command, _ []string) error {
	text, err := s.app.Config(s.options(facts.AccessConfig)).Show(cmd.Context())
	if err != nil {
		return err
	}
	return s.out.put(strings.TrimRight(text, "\n"))
}

func (s *session) backupCommand() *cobra.Command {
	return s.command("backup", func(cmd *cobra.Command, args []string) error {
		return s.with(cmd, facts.AccessRead, func(b Backend) error {
			report, err := b.Backup(cmd.Context(), absolute(args[0]))
			if err != nil {
				return err
			}
			return s.out.put(s.p.T("backup.done", i18n.Args{"Path": cell(report.Path), "Size": s.p.Size(report.Size)}))
		})
	}, 1, 1)
}

func (s *session) repairCommand() *cobra.Command {
	return s.command("repair", func(cmd *cobra.Command, _ []string) error {
		r, err := s.app.Repair(cmd.Context(), s.options(facts.AccessEngine))
		if err != nil {
			return err
		}
		if !r.Damaged {
			return s.out.put(s.p.T("repair.healthy"))
		}
		return s.out.put(s.p.T("repair.done", i18n.Args{
			"Aside": cell(r.Aside), "Known": s.p.Number(r.Known), "Queued": s.p.Number(r.Queued),
			"Journal": s.p.Number(r.Journal), "Reimported": s.p.Number(r.Reimported), "Lost": s.p.Number(r.Lost),
		}))
	}, 0, 0)
}
