# shell: dash
# long
# sbcl: threads, collection of garbage, faults as conditions, sockets, fork, an image that is saved and started.
cat > a.lisp <<'R'
(require :sb-posix) (require :sb-bsd-sockets)
(let ((ts (loop for i below 6 collect (let ((i i)) (sb-thread:make-thread (lambda () (loop for x below 100000 sum (mod (* x i) 7)))))))) (print (mapcar #'sb-thread:join-thread ts)))
(print (with-output-to-string (s) (sb-ext:run-program "/bin/echo" '("hi") :output s)))
(dotimes (i 20) (make-array 1000000)) (sb-ext:gc :full t) (print :gc)
(print (handler-case (car (opaque-identity 3)) (error () :err)))
(let ((s (make-instance 'sb-bsd-sockets:inet-socket :type :stream :protocol :tcp))) (sb-bsd-sockets:socket-bind s #(127 0 0 1) 0) (sb-bsd-sockets:socket-listen s 5)
 (multiple-value-bind (a p) (sb-bsd-sockets:socket-name s) (let ((th (sb-thread:make-thread (lambda () (let* ((c (sb-bsd-sockets:socket-accept s)) (st (sb-bsd-sockets:socket-make-stream c :output t :input t))) (format st "served~%") (finish-output st) (close st))))) (c (make-instance 'sb-bsd-sockets:inet-socket :type :stream :protocol :tcp))) (sb-bsd-sockets:socket-connect c a p) (print (read-line (sb-bsd-sockets:socket-make-stream c :input t))) (sb-thread:join-thread th))))
(print (let ((pid (sb-posix:fork))) (if (= pid 0) (sb-ext:exit :code 3 :abort t) (ash (nth-value 1 (sb-posix:waitpid pid 0)) -8))))
(defun main () (format t "saved~%") (sb-ext:exit))
(finish-output)
(sb-ext:save-lisp-and-die "img" :executable t :toplevel #'main)
R
sbcl --script a.lisp 2>err; echo $?; grep -ci error err; ./img; echo $?
