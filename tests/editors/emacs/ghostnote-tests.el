;;; ghostnote-tests.el --- Ghost text in a real Emacs with the real server  -*- lexical-binding: t; -*-

;;; Commentary:

;; The environment gives the server's command (GHOSTNOTE_COMMAND, one word a line), the client (GHOSTNOTE_CLIENT) and
;; the pieces (GHOSTNOTE_ABC, GHOSTNOTE_XML).  Keys go through the command loop, as a user's do.

;;; Code:

(require 'ert)
(require 'ghostnote)

(defvar ghostnote-tests-client (intern (or (getenv "GHOSTNOTE_CLIENT") "eglot")))

(setq ghostnote-command (split-string (getenv "GHOSTNOTE_COMMAND") "\n" t)
      ghostnote-settings '(:measures 1 :delayMs 0)
      eglot-sync-connect t
      eglot-autoshutdown nil
      lsp-auto-guess-root t
      lsp-session-file (make-temp-name (expand-file-name "lsp-session" temporary-file-directory))
      lsp-enable-file-watchers nil
      make-backup-files nil
      create-lockfiles nil)

(defun ghostnote-tests--until (look what)
  "Call LOOK until it gives non-nil; complain about WHAT after 90 seconds."
  (let ((end (+ (float-time) 90)) seen)
    (while (not (setq seen (funcall look)))
      (when (> (float-time) end)
        (ert-fail (format "waited in vain for %s" what)))
      (accept-process-output nil 0.05))
    seen))

(defun ghostnote-tests--keys (keys)
  "Press KEYS."
  (execute-kbd-macro (kbd keys)))

(defun ghostnote-tests--ghost ()
  "Wait for ghost text; gives it."
  (ghostnote-tests--until
   (lambda () (and ghostnote--shown
                   (substring-no-properties (overlay-get (ghostnote--shown-overlay ghostnote--shown) 'after-string))))
   "ghost text"))

(defmacro ghostnote-tests--with (variable &rest body)
  "Run BODY in a buffer with the file that VARIABLE of the environment names."
  (declare (indent 1))
  `(let ((buffer (find-file-noselect (getenv ,variable) t)))
     (unwind-protect
         (save-window-excursion
           (switch-to-buffer buffer)
           (if (eq ghostnote-tests-client 'eglot)
               (progn (unless (eglot-managed-p) (apply #'eglot (eglot--guess-contact)))
                      (ghostnote-tests--until #'eglot-managed-p "eglot"))
             (ghostnote-tests--until
              (lambda () (and (bound-and-true-p lsp-mode) (lsp-workspaces)
                              (eq 'initialized (lsp--workspace-status (car (lsp-workspaces))))))
              "lsp-mode"))
           ,@body)
       (with-current-buffer buffer (set-buffer-modified-p nil))
       (kill-buffer buffer))))

(ert-deftest ghostnote-tests-tab-accepts ()
  (ghostnote-tests--with "GHOSTNOTE_ABC"
    (should (derived-mode-p 'ghostnote-abc-mode))
    (let ((before (buffer-string)))
      (goto-char (1- (point-max)))
      (ghostnote-tests--keys "SPC")
      (let ((ghost (ghostnote-tests--ghost)))
        (should (equal (buffer-string) (concat (substring before 0 -1) " \n")))
        (ghostnote-tests--keys "TAB")
        (should (equal (buffer-string) (concat (substring before 0 -1) " " ghost "\n")))
        (should (= (point) (1- (point-max))))
        (ghostnote-tests--keys "C-/")
        (should (equal (buffer-string) (concat (substring before 0 -1) " \n")))))))

(ert-deftest ghostnote-tests-typing-through-keeps-the-rest ()
  (ghostnote-tests--with "GHOSTNOTE_ABC"
    (goto-char (1- (point-max)))
    (ghostnote-tests--keys "SPC")
    (let ((ghost (ghostnote-tests--ghost)))
      (execute-kbd-macro (substring ghost 0 2))
      (should (equal (ghostnote-tests--ghost) (substring ghost 2)))
      (goto-char (point-min))
      (ghostnote-tests--keys "C-f")
      (should-not ghostnote--shown))))

(ert-deftest ghostnote-tests-candidates ()
  (ghostnote-tests--with "GHOSTNOTE_ABC"
    (goto-char (1- (point-max)))
    (ghostnote-tests--keys "C-c C-n")
    (should (string-suffix-p " (1/3)" (ghostnote-tests--ghost)))
    (let ((first (ghostnote--current)))
      (ghostnote-tests--keys "M-n")
      (should (string-suffix-p " (2/3)" (ghostnote-tests--ghost)))
      (should-not (equal first (ghostnote--current)))
      (ghostnote-tests--keys "M-p")
      (should (equal first (ghostnote--current)))
      (ghostnote-tests--keys "M-p")
      (should (string-suffix-p " (3/3)" (ghostnote-tests--ghost))))))

(ert-deftest ghostnote-tests-a-stale-answer-is-dropped ()
  (ghostnote-tests--with "GHOSTNOTE_ABC"
    (goto-char (1- (point-max)))
    (ghostnote-suggest)
    (goto-char (point-min))
    (let ((end (+ (float-time) 2)))
      (while (< (float-time) end) (accept-process-output nil 0.05)))
    (should-not ghostnote--shown)))

(ert-deftest ghostnote-tests-dismiss ()
  (ghostnote-tests--with "GHOSTNOTE_ABC"
    (goto-char (1- (point-max)))
    (ghostnote-tests--keys "C-c C-n")
    (ghostnote-tests--ghost)
    (ghostnote-tests--keys "C-g")
    (should-not ghostnote--shown)))

(ert-deftest ghostnote-tests-no-music-in-a-comment ()
  (ghostnote-tests--with "GHOSTNOTE_ABC"
    (goto-char (point-min))
    (execute-kbd-macro "% slow\n")
    (goto-char (line-end-position 0))
    (ghostnote-tests--keys "SPC")
    (let ((end (+ (float-time) 1.5)))
      (while (< (float-time) end) (accept-process-output nil 0.05)))
    (should-not ghostnote--shown)))

(ert-deftest ghostnote-tests-parts ()
  (with-temp-buffer
    (ghostnote-abc-mode)
    (pcase-dolist (`(,unit ,text ,first)
                   '((measure "cAc edc |BGG|" "cAc edc |")
                     (measure " |cAc:|BGG" " |cAc:|")
                     (measure "\"A|m\"c3 d3|]" "\"A|m\"c3 d3|]")
                     (note "| ^c'3/2-c2" "| ^c'3/2-")
                     (note "\"Am\"{b}[Ace]2 d2" "\"Am\"{b}[Ace]2")
                     (beat " cA\"G\"c edc |" " cA\"G\"c")
                     (beat "edc|BGG" "edc")
                     (beat " |" " |")
                     (phrase "a6|b6|c6|d6|e6|" "a6|b6|c6|d6|")
                     (phrase "a6|b6:|c6|" "a6|b6:|")
                     (phrase "a6|b6" "a6|")))
      (should (equal (ghostnote--first unit text) first))))
  (with-temp-buffer
    (ghostnote-musicxml-mode)
    (should (equal (ghostnote--first 'beat "<note/><note>x</note><note>") "<note/><note>x</note>"))
    (should (equal (ghostnote--first 'phrase "<measure>a<repeat/></measure><measure>") "<measure>a<repeat/></measure>"))
    (should (equal (ghostnote--first 'measure "<measure>a</measure><measure>") "<measure>a</measure>"))))

(ert-deftest ghostnote-tests-accept-by-note-beat-measure-and-phrase ()
  (ghostnote-tests--with "GHOSTNOTE_ABC"
    (dolist (steps '((("M-f" . note) ("M-e" . beat) ("M-RET" . measure)) (("M-}" . phrase))))
      (goto-char (1- (point-max)))
      (ghostnote-tests--keys "SPC")
      (let ((ghost (ghostnote-tests--ghost)) (start (point)))
        (dolist (step steps)
          (let ((first (ghostnote--first (cdr step) (ghostnote--current))) (place (point)))
            (ghostnote-tests--keys (car step))
            (should (equal (buffer-substring-no-properties place (point)) first))))
        (should (equal (buffer-substring-no-properties start (point)) ghost))))))

(ert-deftest ghostnote-tests-the-hooks-of-abc-mode ()
  "A mode named `abc-mode', such as the package's, is served too."
  (define-derived-mode abc-mode text-mode "ABC")
  (let ((auto-mode-alist '(("\\.abc\\'" . abc-mode))))
    (ghostnote-tests--with "GHOSTNOTE_ABC"
      (should (derived-mode-p 'abc-mode))
      (goto-char (1- (point-max)))
      (ghostnote-tests--keys "SPC")
      (should (ghostnote-tests--ghost)))))

(ert-deftest ghostnote-tests-musicxml ()
  (ghostnote-tests--with "GHOSTNOTE_XML"
    (should (derived-mode-p 'ghostnote-musicxml-mode))
    (goto-char (point-max))
    (search-backward "</measure>")
    (goto-char (match-end 0))
    (ghostnote-tests--keys "C-c C-n")
    (let ((ghost (progn (ghostnote-tests--ghost) (ghostnote--current))) (place (point)))
      (should (string-match-p "\\`\\s-*<measure" ghost))
      (ghostnote-tests--keys "TAB")
      (should (equal (buffer-substring-no-properties place (point)) ghost)))))

(ert-deftest ghostnote-tests-completion-at-point ()
  (skip-unless (eq ghostnote-tests-client 'eglot))
  (ghostnote-tests--with "GHOSTNOTE_ABC"
    (goto-char (1- (point-max)))
    (insert " ")
    (let* ((found (run-hook-with-args-until-success 'completion-at-point-functions))
           (all (all-completions "" (nth 2 found))))
      (should (>= (length all) 3)))))

(ghostnote-setup ghostnote-tests-client)

;;; ghostnote-tests.el ends here
