// A button whose deed is asked about once more. What cannot be done says why.

import { useRef, useState } from "preact/hooks";
import type { ActionsView } from "../../http/schema.js";
import { act, knownToken } from "../api.js";

export interface ConfirmProps {
  readonly label: string;
  readonly question: string;
  readonly consequence: string;
  readonly url: string;
  readonly actions: ActionsView;
}

export function Confirm({ label, question, consequence, url, actions }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [token, setToken] = useState(knownToken());
  const [word, setWord] = useState("");
  const [isBusy, setBusy] = useState(false);
  const close = () => dialog.current?.close();
  const go = async () => {
    setBusy(true);
    try {
      await act(url, token);
      setWord("");
      close();
    } catch (error) {
      setWord(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <>
      <button
        type="button"
        class="button"
        aria-disabled={!actions.isAvailable}
        title={actions.reason}
        onClick={() => actions.isAvailable && dialog.current?.showModal()}
      >
        {label}
      </button>
      <dialog ref={dialog} aria-label={question}>
        <h2>{question}</h2>
        <p>{consequence}</p>
        {actions.needsToken ? (
          <label class="field">
            <span>Token of this server</span>
            <input
              type="password"
              autocomplete="off"
              value={token}
              onInput={(event) => setToken(event.currentTarget.value)}
            />
          </label>
        ) : null}
        <p class="trouble" role="alert">
          {word}
        </p>
        <div class="buttons">
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="button" class="button primary" disabled={isBusy} onClick={() => void go()}>
            {label}
          </button>
        </div>
      </dialog>
    </>
  );
}
