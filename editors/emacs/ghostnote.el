;;; ghostnote.el --- The next measures of ABC and MusicXML as ghost text  -*- lexical-binding: t; -*-

;; SPDX-License-Identifier: Apache-2.0
;; Version: 0.1.0
;; Package-Requires: ((emacs "28.1") (eglot "1.9"))
;; Keywords: convenience, languages, multimedia

;;; Commentary:

;; Ghostnote is a language server that predicts the next measures of a score.
;;
;;   (require 'ghostnote)
;;   (ghostnote-setup)
;;
;; starts it with eglot in buffers of ABC and MusicXML and shows its predictions in grey at the cursor.  TAB accepts
;; one; see `ghostnote-suggestion-map' for the other keys.  (ghostnote-setup 'lsp-mode) uses lsp-mode instead.
;;
;; There is at most one suggestion a buffer.  An answer is shown only if the buffer and point are as they were when it
;; was asked for.  What is typed through a suggestion moves it on without a request.

;;; Code:

(require 'cl-lib)
(require 'jsonrpc)
(require 'nxml-mode)
(require 'subr-x)

(defvar eglot-server-programs)
(defvar eglot--managed-mode)
(defvar lsp-language-id-configuration)
(defvar lsp-mode)
(declare-function eglot-current-server "eglot")
(declare-function eglot-ensure "eglot")
(declare-function eglot--TextDocumentPositionParams "eglot")
(declare-function eglot--signal-textDocument/didChange "eglot")
(declare-function lsp "lsp-mode")
(declare-function lsp-register-client "lsp-mode")
(declare-function lsp-request-async "lsp-mode")
(declare-function lsp-stdio-connection "lsp-mode")
(declare-function lsp--text-document-position-params "lsp-mode")
(declare-function make-lsp-client "lsp-mode")

(defgroup ghostnote nil
  "Predictions of the next measures of a score."
  :group 'editing
  :prefix "ghostnote-")

(defcustom ghostnote-command '("ghostnote" "serve")
  "The program that is the server, and its arguments."
  :type '(repeat string))

(defcustom ghostnote-settings '(:measures 1)
  "Settings sent to the server, as a property list.
They are :measures, :candidates, :temperature, :trigger, :delayMs, :model,
:provider, :threads and :diagnostics."
  :type 'plist)

(defcustom ghostnote-automatic t
  "Whether suggestions come by themselves while you type.
If nil, ask for them with \\[ghostnote-suggest]."
  :type 'boolean)

(defcustom ghostnote-delay 0.05
  "Seconds without typing before a suggestion is asked for."
  :type 'number)

(defface ghostnote-suggestion '((t :inherit shadow :slant italic))
  "Face of text that is suggested and not yet there.")

;;;; Modes

;;;###autoload
(define-derived-mode ghostnote-abc-mode text-mode "ABC"
  "Major mode for music in ABC, for those who have no other `abc-mode'."
  (setq-local comment-start "%")
  (setq-local comment-start-skip "%+\\s-*")
  (setq-local font-lock-defaults
              '((("^%.*$" . font-lock-comment-face)
                 ("^[A-Za-z]:" . font-lock-keyword-face)
                 ("\"[^\"\n]*\"" . font-lock-string-face)
                 ("![^!\n]*!" . font-lock-builtin-face)
                 ("[][|:]+" . font-lock-type-face)))))

;;;###autoload
(define-derived-mode ghostnote-musicxml-mode nxml-mode "MusicXML"
  "Major mode for music in MusicXML.")

;;;###autoload
(progn
  (unless (assoc "\\.abc\\'" auto-mode-alist)
    (add-to-list 'auto-mode-alist '("\\.abc\\'" . ghostnote-abc-mode)))
  (add-to-list 'auto-mode-alist '("\\.musicxml\\'" . ghostnote-musicxml-mode)))

;;;; The suggestion

(cl-defstruct ghostnote--shown
  "What is shown: its OVERLAY, its candidates TEXTS and the INDEX of the one in view."
  overlay texts (index 0))

(defvar-local ghostnote--shown nil "The suggestion of this buffer, or nil.")
(defvar-local ghostnote--place nil "The place for which the last question was asked.")
(defvar-local ghostnote--dismissed nil "The place where no suggestion is wanted.")
(defvar-local ghostnote--timer nil "What will ask for the next suggestion.")

(defun ghostnote--place ()
  "All that a suggestion depends on."
  (list (buffer-chars-modified-tick) (point)))

(defun ghostnote--current ()
  "The text of the suggestion in view, or nil."
  (when ghostnote--shown
    (nth (ghostnote--shown-index ghostnote--shown) (ghostnote--shown-texts ghostnote--shown))))

(defun ghostnote--draw ()
  "Draw the suggestion at its place."
  (let* ((shown ghostnote--shown)
         (count (length (ghostnote--shown-texts shown)))
         (text (propertize (copy-sequence (ghostnote--current)) 'face 'ghostnote-suggestion))
         (which (if (> count 1)
                    (propertize (format " (%d/%d)" (1+ (ghostnote--shown-index shown)) count) 'face 'shadow)
                  "")))
    (put-text-property 0 1 'cursor t text) ; the cursor stays before the suggestion
    (overlay-put (ghostnote--shown-overlay shown) 'after-string (concat text which))))

(defun ghostnote--show (texts)
  "Show the candidates TEXTS at point."
  (ghostnote-clear)
  (setq ghostnote--shown (make-ghostnote--shown :overlay (make-overlay (point) (point)) :texts texts))
  (ghostnote--draw))

(defun ghostnote-clear ()
  "Take the suggestion away."
  (when ghostnote--shown
    (delete-overlay (ghostnote--shown-overlay ghostnote--shown))
    (setq ghostnote--shown nil)))

(defun ghostnote--typed-through-p ()
  "Move the suggestion on if it begins with what was typed; whether it stands."
  (let* ((overlay (ghostnote--shown-overlay ghostnote--shown))
         (start (overlay-start overlay)))
    (when (and start (<= start (point)))
      (let* ((typed (buffer-substring-no-properties start (point)))
             (rest (and (string-prefix-p typed (ghostnote--current))
                        (substring (ghostnote--current) (length typed)))))
        (when (and rest (not (string-blank-p rest)))
          (unless (string-empty-p typed)
            (ghostnote--show (list rest)))
          t)))))

;;;; Asking

(defvar ghostnote-mode)

(defconst ghostnote--invoked 1)
(defconst ghostnote--automatic 2)

(defun ghostnote--texts (answer)
  "The texts to insert of ANSWER, in order, from eglot or lsp-mode."
  (let* ((field (lambda (object name)
                  (cond ((hash-table-p object) (gethash name object))
                        ((listp object) (plist-get object (intern (concat ":" name)))))))
         (items (if (vectorp answer) answer (funcall field answer "items"))))
    (cl-loop for item across (vconcat items)
             for text = (funcall field item "insertText")
             when (and (stringp text) (not (string-empty-p text)))
             collect (string-replace "\r" "" text))))

(defun ghostnote--ask (kind &optional then)
  "Ask the server for suggestions; KIND tells who wants them.
Call THEN, if given, once they are shown."
  (let* ((buffer (current-buffer))
         (place (ghostnote--place))
         (answered
          (lambda (answer)
            (when (buffer-live-p buffer)
              (with-current-buffer buffer
                (when (and (equal place (ghostnote--place)) (equal place ghostnote--place))
                  (when-let ((texts (ghostnote--texts answer)))
                    (ghostnote--show texts)
                    (when then (funcall then)))))))))
    (setq ghostnote--place place)
    (cond ((bound-and-true-p eglot--managed-mode) (ghostnote--ask-eglot kind answered))
          ((bound-and-true-p lsp-mode) (ghostnote--ask-lsp kind answered)))))

(defun ghostnote--ask-eglot (kind answered)
  "Ask through eglot; KIND and ANSWERED as in `ghostnote--ask'."
  (when-let ((server (eglot-current-server)))
    (eglot--signal-textDocument/didChange)
    (jsonrpc-async-request
     server :textDocument/inlineCompletion
     (append (eglot--TextDocumentPositionParams) `(:context (:triggerKind ,kind)))
     :success-fn answered :error-fn #'ignore :timeout-fn #'ignore)))

(defun ghostnote--ask-lsp (kind answered)
  "Ask through lsp-mode; KIND and ANSWERED as in `ghostnote--ask'."
  (lsp-request-async
   "textDocument/inlineCompletion"
   (append (lsp--text-document-position-params) `(:context (:triggerKind ,kind)))
   answered :error-handler #'ignore :mode 'tick :cancel-token (intern (format "ghostnote-%s" (buffer-name)))))

(defun ghostnote--ask-soon ()
  "Ask for a suggestion once nothing has been typed for `ghostnote-delay'."
  (when ghostnote--timer
    (cancel-timer ghostnote--timer))
  (let ((buffer (current-buffer)) (place (ghostnote--place)))
    (setq ghostnote--timer
          (run-with-timer ghostnote-delay nil
                          (lambda ()
                            (when (buffer-live-p buffer)
                              (with-current-buffer buffer
                                (when (and ghostnote-mode (equal place (ghostnote--place)))
                                  (ghostnote--ask ghostnote--automatic)))))))))

(defun ghostnote--connected ()
  "Ask for what was typed while the server started."
  (when (and ghostnote-mode ghostnote-automatic (buffer-modified-p))
    (ghostnote--ask-soon)))

(defvar-local ghostnote--tick nil "State of the buffer's text after the last command.")

(defun ghostnote--after-command ()
  "Keep the suggestion if it still fits; else take it away.
After an edit, ask anew."
  (let ((edited (not (equal ghostnote--tick (buffer-chars-modified-tick)))))
    (setq ghostnote--tick (buffer-chars-modified-tick))
    (unless (and ghostnote--shown (ghostnote--typed-through-p))
      (ghostnote-clear)
      (when (and edited ghostnote-automatic (not (equal ghostnote--dismissed (ghostnote--place))))
        (ghostnote--ask-soon)))))

;;;; Commands

(defun ghostnote-suggest ()
  "Ask for several suggestions at point."
  (interactive)
  (setq ghostnote--dismissed nil)
  (ghostnote--ask ghostnote--invoked))

(defun ghostnote--insert (text)
  "Insert TEXT, which the suggestion in view begins with; show the rest."
  (let ((rest (substring (ghostnote--current) (length text))))
    (ghostnote-clear)
    (undo-boundary)
    (insert text)
    (undo-boundary)
    (unless (string-blank-p rest)
      (ghostnote--show (list rest)))))

(defun ghostnote-accept ()
  "Insert the suggestion."
  (interactive)
  (when ghostnote--shown
    (ghostnote--insert (ghostnote--current))))

(defconst ghostnote--barline "[:[]*|+[]:]*[0-9]*")
(defconst ghostnote--note
  "\\(?:\\[[=_^]*[A-Ga-g][^]\n]*\\]\\|[=_^]*[A-Ga-gxyzXZ][',]*\\)[0-9/]*[-)<>]*")

(defun ghostnote--masked (text)
  "TEXT with ~ for what looks like notes or barlines but is not.
That is chord symbols, decorations and grace notes."
  (replace-regexp-in-string "\"[^\"\n]*\"\\|![^!\n]*!\\|{[^}\n]*}"
                            (lambda (found) (make-string (length found) ?~)) text t t))

(defun ghostnote--end-of-phrase (text measure-end section-end)
  "Where the first phrase of TEXT ends, or nil.
It is four measures, or fewer where a section ends.  MEASURE-END gives
where the first measure of a text ends; SECTION-END matches a text with
which a section ends."
  (cl-loop with end = nil
           repeat 4
           for length = (funcall measure-end (substring text (or end 0)))
           while length
           do (setq end (+ (or end 0) length))
           until (string-match-p section-end (substring text 0 end))
           finally return end))

(defun ghostnote--end-in-abc (unit text)
  "Where the first UNIT of TEXT in ABC ends, or nil."
  (let ((case-fold-search nil) (plain (ghostnote--masked text)))
    (pcase unit
      ('phrase (ghostnote--end-of-phrase text (lambda (rest) (ghostnote--end-in-abc 'measure rest))
                                         "[:|][]:|][0-9]*\\'"))
      ('measure (string-match (concat "\\`[ \t\n\\~]*" ghostnote--barline "\\|\\`") plain)
                (and (string-match ghostnote--barline plain (match-end 0)) (match-end 0)))
      (_ (when (string-match ghostnote--note plain)
           (when (eq unit 'beat) ; what is beamed together: up to a space or a barline
             (string-match "[^] \t\n|:]*" plain (match-end 0)))
           (match-end 0))))))

(defun ghostnote--end-in-musicxml (unit text)
  "Where the first UNIT of TEXT in MusicXML ends, or nil."
  (if (eq unit 'phrase)
      (ghostnote--end-of-phrase text (lambda (rest) (ghostnote--end-in-musicxml 'measure rest))
                                "<repeat[ \t\n/]\\|<bar-style>light-")
    (and (string-match (if (eq unit 'measure) "</measure>" "</note>") text) (match-end 0))))

(defun ghostnote--first (unit text)
  "The first UNIT of TEXT; all of it if there is none.
It is `note', `beat', `measure' or `phrase'."
  (substring text 0 (if (derived-mode-p 'nxml-mode)
                        (ghostnote--end-in-musicxml unit text)
                      (ghostnote--end-in-abc unit text))))

(defun ghostnote--accept-first (unit)
  "Insert the first UNIT of the suggestion and keep showing the rest."
  (when ghostnote--shown
    (ghostnote--insert (ghostnote--first unit (ghostnote--current)))))

(defun ghostnote-accept-note ()
  "Insert the first note of the suggestion and keep showing the rest."
  (interactive)
  (ghostnote--accept-first 'note))

(defun ghostnote-accept-beat ()
  "Insert the first beat of the suggestion and keep showing the rest.
In ABC that is what is beamed together, in MusicXML a note."
  (interactive)
  (ghostnote--accept-first 'beat))

(defun ghostnote-accept-measure ()
  "Insert the first measure of the suggestion and keep showing the rest."
  (interactive)
  (ghostnote--accept-first 'measure))

(defun ghostnote-accept-phrase ()
  "Insert the first phrase of the suggestion and keep showing the rest.
That is four measures, or fewer where a section of the piece ends."
  (interactive)
  (ghostnote--accept-first 'phrase))

(defun ghostnote-dismiss ()
  "Take the suggestion away until something else is typed."
  (interactive)
  (ghostnote-clear)
  (setq ghostnote--dismissed (ghostnote--place)))

(defun ghostnote--turn (step)
  "Show the candidate STEP further."
  (let ((count (length (ghostnote--shown-texts ghostnote--shown))))
    (setf (ghostnote--shown-index ghostnote--shown)
          (mod (+ (ghostnote--shown-index ghostnote--shown) step) count))
    (ghostnote--draw)))

(defun ghostnote-next (&optional step)
  "Show the next candidate, or the one STEP further.
One that came while typing is alone: the others are asked for first."
  (interactive)
  (let ((step (or step 1)))
    (if (and ghostnote--shown (cdr (ghostnote--shown-texts ghostnote--shown)))
        (ghostnote--turn step)
      (ghostnote--ask ghostnote--invoked (lambda () (ghostnote--turn step))))))

(defun ghostnote-previous ()
  "Show the candidate before."
  (interactive)
  (ghostnote-next -1))

(defun ghostnote-apply-settings ()
  "Tell the running server the values of `ghostnote-settings'."
  (interactive)
  (when-let ((server (and (bound-and-true-p eglot--managed-mode) (eglot-current-server))))
    (jsonrpc-notify server :workspace/didChangeConfiguration `(:settings (:ghostnote ,ghostnote-settings)))))

(defvar ghostnote-suggestion-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "TAB") #'ghostnote-accept)
    (define-key map (kbd "<tab>") #'ghostnote-accept)
    (define-key map (kbd "M-RET") #'ghostnote-accept-measure)
    (define-key map (kbd "M-}") #'ghostnote-accept-phrase)
    (define-key map (kbd "M-f") #'ghostnote-accept-note)
    (define-key map (kbd "M-e") #'ghostnote-accept-beat)
    (define-key map (kbd "M-n") #'ghostnote-next)
    (define-key map (kbd "M-p") #'ghostnote-previous)
    (define-key map (kbd "C-g") #'ghostnote-dismiss)
    map)
  "Keys in force while a suggestion is shown.")

(defvar ghostnote-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-n") #'ghostnote-suggest)
    map)
  "Keys in force in buffers with `ghostnote-mode'.")

(defvar ghostnote--emulation-alist `((ghostnote--shown . ,ghostnote-suggestion-map)))

;;;###autoload
(define-minor-mode ghostnote-mode
  "Show predictions of the next measures in grey at the cursor.
The buffer must be managed by eglot or lsp-mode; `ghostnote-setup' sees to it."
  :lighter " ♪"
  (if ghostnote-mode
      (progn
        (setq ghostnote--tick (buffer-chars-modified-tick))
        (add-to-list 'emulation-mode-map-alists 'ghostnote--emulation-alist)
        (add-hook 'eglot-managed-mode-hook #'ghostnote--connected nil t)
        (add-hook 'lsp-after-open-hook #'ghostnote--connected nil t)
        (add-hook 'post-command-hook #'ghostnote--after-command nil t))
    (remove-hook 'eglot-managed-mode-hook #'ghostnote--connected t)
    (remove-hook 'lsp-after-open-hook #'ghostnote--connected t)
    (remove-hook 'post-command-hook #'ghostnote--after-command t)
    (ghostnote-clear)))

;;;; Set-up

(defvar ghostnote--modes
  '((abc-mode . "abc") (ghostnote-abc-mode . "abc") (ghostnote-musicxml-mode . "musicxml"))
  "Major modes and the names that the server knows their languages by.")

(defun ghostnote--contact (&rest _)
  "How eglot starts the server, with the settings of this moment."
  (append ghostnote-command `(:initializationOptions (:ghostnote ,ghostnote-settings))))

(defun ghostnote--set-up-eglot ()
  "Tell eglot about the server."
  (require 'eglot)
  (dolist (mode ghostnote--modes)
    (setf (alist-get (list (car mode) :language-id (cdr mode)) eglot-server-programs nil nil #'equal)
          #'ghostnote--contact)))

(defun ghostnote--set-up-lsp ()
  "Tell lsp-mode about the server."
  (require 'lsp-mode)
  (dolist (mode ghostnote--modes)
    (setf (alist-get (car mode) lsp-language-id-configuration) (cdr mode)))
  (lsp-register-client
   (make-lsp-client :new-connection (lsp-stdio-connection (lambda () ghostnote-command))
                    :major-modes (mapcar #'car ghostnote--modes)
                    :initialization-options (lambda () `(:ghostnote ,ghostnote-settings))
                    :server-id 'ghostnote)))

;;;###autoload
(defun ghostnote-setup (&optional client)
  "Start Ghostnote in buffers of ABC and MusicXML.
CLIENT is `eglot' (the default) or `lsp-mode'."
  (let ((start (pcase (or client 'eglot)
                 ('eglot (ghostnote--set-up-eglot) #'eglot-ensure)
                 ('lsp-mode (ghostnote--set-up-lsp) #'lsp)
                 (other (error "Ghostnote's client is `%s' but must be `eglot' or `lsp-mode'" other)))))
    (dolist (mode ghostnote--modes)
      (let ((hook (intern (format "%s-hook" (car mode)))))
        (add-hook hook start)
        (add-hook hook #'ghostnote-mode)))))

(provide 'ghostnote)
;;; ghostnote.el ends here
